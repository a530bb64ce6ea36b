/* vm.c - find a HotSpot virtual machine, and what it says of its own structures. */
/* SPDX-License-Identifier: MIT */
/*
 * libjvm.so exports tables for debuggers (src/hotspot/share/runtime/vmStructs.hpp):
 * of each structure's members the offset, or the address if it is static; of
 * types the size; of constants the value. The tables say themselves how their
 * rows are laid out. No release needs a table of ours.
 */
#include "tracer/runtime/hotspot/hotspot.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tracer/symbols/symbols.h"

enum {
	OLDEST = 11, /* releases that were tried */
	NEWEST = 25,
	MAX_ROWS = 16384, /* of a table; there are about 2,000 */
	MAX_FLAGS = 8192,
	MAX_NAME = 80
};

/* A row that is wanted, and where it goes. If several rows fill one field, the first found wins. */
struct wanted {
	const char *type, *field;
	size_t at; /* in struct hotspot_vm */
};

#define WANT(member, type, field)                                                                  \
	{                                                                                          \
		type, field, offsetof(struct hotspot_vm, member)                                   \
	}

static const struct wanted fields[] = {
	WANT(v_thread_list, "ThreadsSMRSupport", "_java_thread_list"),
	WANT(v_first_thread, "Threads", "_thread_list"),
	WANT(v_interpreter, "AbstractInterpreter", "_code"),
	WANT(v_call_stub, "StubRoutines", "_call_stub_return_address"),
	WANT(v_heaps, "CodeCache", "_heaps"),
	WANT(v_oop_base, "CompressedOops", "_narrow_oop._base"),
	WANT(v_oop_base, "CompressedOops", "_base"),
	WANT(v_oop_base, "Universe", "_narrow_oop._base"),
	WANT(v_oop_shift, "CompressedOops", "_narrow_oop._shift"),
	WANT(v_oop_shift, "CompressedOops", "_shift"),
	WANT(v_oop_shift, "Universe", "_narrow_oop._shift"),
	WANT(v_klass_base, "CompressedKlassPointers", "_narrow_klass._base"),
	WANT(v_klass_base, "CompressedKlassPointers", "_base"),
	WANT(v_klass_base, "Universe", "_narrow_klass._base"),
	WANT(v_klass_shift, "CompressedKlassPointers", "_narrow_klass._shift"),
	WANT(v_klass_shift, "CompressedKlassPointers", "_shift"),
	WANT(v_klass_shift, "Universe", "_narrow_klass._shift"),
	WANT(v_flags, "JVMFlag", "flags"),
	WANT(v_n_flags, "JVMFlag", "numFlags"),
	WANT(v_loaders, "ClassLoaderDataGraph", "_head"),
	WANT(loader_next, "ClassLoaderData", "_next"),
	WANT(loader_klasses, "ClassLoaderData", "_klasses"),
	WANT(v_command, "Arguments", "_java_command"),
	WANT(v_version, "Abstract_VM_Version", "_vm_major_version"),
	WANT(list_length, "ThreadsList", "_length"),
	WANT(list_threads, "ThreadsList", "_threads"),
	WANT(thread_next, "JavaThread", "_next"),
	WANT(thread_object, "JavaThread", "_threadObj"),
	WANT(thread_virtual, "JavaThread", "_vthread"),
	WANT(thread_os, "JavaThread", "_osthread"),
	WANT(thread_os, "Thread", "_osthread"),
	WANT(thread_state, "JavaThread", "_thread_state"),
	WANT(thread_pending, "JavaThread", "_current_pending_monitor"),
	WANT(thread_pending, "Thread", "_current_pending_monitor"),
	WANT(thread_waiting, "JavaThread", "_current_waiting_monitor"),
	WANT(thread_waiting, "Thread", "_current_waiting_monitor"),
	WANT(thread_anchor, "JavaThread", "_anchor"),
	WANT(thread_stack, "JavaThread", "_stack_base"),
	WANT(thread_stack, "Thread", "_stack_base"),
	WANT(thread_stack_size, "JavaThread", "_stack_size"),
	WANT(thread_stack_size, "Thread", "_stack_size"),
	WANT(thread_lock_stack, "JavaThread", "_lock_stack"),
	WANT(lock_stack_top, "LockStack", "_top"),
	WANT(lock_stack_base, "LockStack", "_base[0]"),
	WANT(os_tid, "OSThread", "_thread_id"),
	WANT(os_state, "OSThread", "_state"),
	WANT(anchor_sp, "JavaFrameAnchor", "_last_Java_sp"),
	WANT(anchor_pc, "JavaFrameAnchor", "_last_Java_pc"),
	WANT(anchor_fp, "JavaFrameAnchor", "_last_Java_fp"),
	WANT(wrapper_anchor, "JavaCallWrapper", "_anchor"),
	WANT(monitor_object, "ObjectMonitor", "_object"),
	WANT(monitor_owner, "ObjectMonitor", "_owner"),
	WANT(oop_klass, "oopDesc", "_metadata._klass"),
	WANT(oop_narrow_klass, "oopDesc", "_metadata._compressed_klass"),
	WANT(klass_name, "Klass", "_name"),
	WANT(klass_super, "Klass", "_super"),
	WANT(klass_mirror, "Klass", "_java_mirror"),
	WANT(klass_constants, "InstanceKlass", "_constants"),
	WANT(klass_next, "Klass", "_next_link"),
	WANT(klass_init_thread, "InstanceKlass", "_init_thread"),
	WANT(klass_init_state, "InstanceKlass", "_init_state"),
	WANT(klass_fields, "InstanceKlass", "_fields"),
	WANT(klass_fields_n, "InstanceKlass", "_java_fields_count"),
	WANT(klass_field_stream, "InstanceKlass", "_fieldinfo_stream"),
	WANT(klass_file, "InstanceKlass", "_source_file_name_index"),
	WANT(method_const, "Method", "_constMethod"),
	WANT(method_access, "Method", "_access_flags"),
	WANT(const_pool, "ConstMethod", "_constants"),
	WANT(const_words, "ConstMethod", "_constMethod_size"),
	WANT(const_flags, "ConstMethod", "_flags"),
	WANT(const_flags, "ConstMethod", "_flags._flags"),
	WANT(const_code_size, "ConstMethod", "_code_size"),
	WANT(const_name, "ConstMethod", "_name_index"),
	WANT(pool_holder, "ConstantPool", "_pool_holder"),
	WANT(pool_file, "ConstantPool", "_source_file_name_index"),
	WANT(symbol_length, "Symbol", "_length"),
	WANT(symbol_body, "Symbol", "_body[0]"),
	WANT(array_length, "Array<int>", "_length"),
	WANT(array_u1, "Array<u1>", "_data"),
	WANT(array_u2, "Array<u2>", "_data"),
	WANT(stub_buffer, "StubQueue", "_stub_buffer"),
	WANT(stub_limit, "StubQueue", "_buffer_limit"),
	WANT(growable_len, "GrowableArrayBase", "_len"),
	WANT(growable_len, "GenericGrowableArray", "_len"),
	WANT(growable_data, "GrowableArray<int>", "_data"),
	WANT(heap_memory, "CodeHeap", "_memory"),
	WANT(heap_segmap, "CodeHeap", "_segmap"),
	WANT(heap_log2, "CodeHeap", "_log2_segment_size"),
	WANT(space_low, "VirtualSpace", "_low"),
	WANT(space_high, "VirtualSpace", "_high"),
	WANT(block_used, "HeapBlock::Header", "_used"),
	WANT(blob_name, "CodeBlob", "_name"),
	WANT(blob_frame_size, "CodeBlob", "_frame_size"),
	WANT(blob_code_begin, "CodeBlob", "_code_begin"),
	WANT(code_method, "CompiledMethod", "_method"),
	WANT(code_scopes, "CompiledMethod", "_scopes_data_begin"),
	WANT(code_pcs, "nmethod", "_scopes_pcs_offset"),
	WANT(code_pcs_end, "nmethod", "_dependencies_offset"),
	WANT(code_metadata, "nmethod", "_metadata_offset"),
	WANT(pc_offset, "PcDesc", "_pc_offset"),
	WANT(pc_scope, "PcDesc", "_scope_decode_offset"),
	WANT(flag_name, "JVMFlag", "_name"),
	WANT(flag_addr, "JVMFlag", "_addr"),
};

static const struct wanted sizes[] = {
	WANT(size_const, "ConstMethod", ""),
	WANT(size_pool, "ConstantPool", ""),
	WANT(size_block, "HeapBlock", ""),
	WANT(size_pc, "PcDesc", ""),
	WANT(size_flag, "JVMFlag", ""),
	WANT(size_thread, "JavaThread", ""),
};

static const struct wanted numbers[] = {WANT(c_blocked, "_thread_blocked", ""),
	WANT(c_initialising, "InstanceKlass::being_initialized", "")};

/* Required entries; without the others results are less detailed. */
static const size_t needed[] = {offsetof(struct hotspot_vm, thread_object),
	offsetof(struct hotspot_vm, thread_os), offsetof(struct hotspot_vm, thread_state),
	offsetof(struct hotspot_vm, thread_pending), offsetof(struct hotspot_vm, thread_waiting),
	offsetof(struct hotspot_vm, os_tid), offsetof(struct hotspot_vm, monitor_owner),
	offsetof(struct hotspot_vm, monitor_object), offsetof(struct hotspot_vm, klass_name),
	offsetof(struct hotspot_vm, symbol_body), offsetof(struct hotspot_vm, symbol_length),
	offsetof(struct hotspot_vm, c_blocked)};

/* Reads a field into value, which stays 0 where there is no such field or it cannot be read. */
static void read_field(struct hotspot *h, uint64_t addr, uint64_t offset, void *value, size_t size)
{
	if (!addr || offset == HOTSPOT_NONE ||
		!memory_cached(&h->memory, addr + offset, value, size))
		memset(value, 0, size);
}

uint64_t hotspot_u64(struct hotspot *h, uint64_t addr, uint64_t offset)
{
	uint64_t value;

	read_field(h, addr, offset, &value, sizeof value);
	return value;
}

uint32_t hotspot_u32(struct hotspot *h, uint64_t addr, uint64_t offset)
{
	uint32_t value;

	read_field(h, addr, offset, &value, sizeof value);
	return value;
}

uint16_t hotspot_u16(struct hotspot *h, uint64_t addr, uint64_t offset)
{
	uint16_t value;

	read_field(h, addr, offset, &value, sizeof value);
	return value;
}

/* ---- The exported tables ---- */

/* Where symbols of the library are looked up. */
struct exports {
	struct hotspot *h;
	const struct runtime_process *process;
};

static bool is_libjvm(void *arg, const char *path)
{
	const char *base = strrchr(path, '/');

	(void)arg;
	return !strncmp(base ? base + 1 : path, "libjvm.so", 9);
}

/* Returns the value of an exported variable of 64 bits, or 0. */
static uint64_t exported(const struct exports *e, const char *name)
{
	const struct runtime_process *p = e->process;
	uint64_t at;

	return symbols_named(p->symbols, p->key, p->pid, name, is_libjvm, NULL, &at, NULL)
		       ? hotspot_u64(e->h, at, 0)
		       : 0;
}

/* One of the exported tables: where it lies, and the parts of a row. */
struct rows {
	uint64_t at, stride, name, field, is_static, offset, address;
};

/* Reads a name of at most MAX_NAME - 1 characters; empty if it is longer, or cannot be read. */
static void read_name(struct hotspot *h, uint64_t addr, char ret[MAX_NAME])
{
	size_t to_page = 4096 - addr % 4096, len = to_page < MAX_NAME ? to_page : MAX_NAME;

	/* Most lie within one page; the page after may not exist. */
	if (!addr || !memory_cached(&h->memory, addr, ret, len))
		len = 0;
	if (len < MAX_NAME && !memchr(ret, '\0', len) &&
		!memory_cached(&h->memory, addr, ret, MAX_NAME))
		len = 0;
	if (!len || !memchr(ret, '\0', MAX_NAME))
		ret[0] = '\0';
}

static void put(struct hotspot *h, const struct wanted *w, uint64_t value)
{
	memcpy((char *)&h->vm + w->at, &value, sizeof value);
}

static uint64_t got(const struct hotspot *h, size_t at)
{
	uint64_t value;

	memcpy(&value, (const char *)&h->vm + at, sizeof value);
	return value;
}

static void take_field(struct hotspot *h, const struct rows *r, uint64_t row)
{
	char type[MAX_NAME], field[MAX_NAME];

	read_name(h, hotspot_u64(h, row, r->name), type);
	read_name(h, hotspot_u64(h, row, r->field), field);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct wanted *w = &fields[i];

		if (strcmp(type, w->type) != 0 || strcmp(field, w->field) != 0 ||
			got(h, w->at) != HOTSPOT_NONE)
			continue;
		put(h, w,
			hotspot_u64(h, row,
				hotspot_u32(h, row, r->is_static) ? r->address : r->offset));
		return;
	}
}

static bool read_fields(const struct exports *e)
{
	struct rows r = {.at = exported(e, "gHotSpotVMStructs"),
		.stride = exported(e, "gHotSpotVMStructEntryArrayStride"),
		.name = exported(e, "gHotSpotVMStructEntryTypeNameOffset"),
		.field = exported(e, "gHotSpotVMStructEntryFieldNameOffset"),
		.is_static = exported(e, "gHotSpotVMStructEntryIsStaticOffset"),
		.offset = exported(e, "gHotSpotVMStructEntryOffsetOffset"),
		.address = exported(e, "gHotSpotVMStructEntryAddressOffset")};

	if (!r.at || !r.stride)
		return false;
	for (size_t i = 0; i < MAX_ROWS && hotspot_u64(e->h, r.at, r.name); i++, r.at += r.stride)
		take_field(e->h, &r, r.at);
	return true;
}

/* The tables of types and of constants: a name and a number. */
static void read_numbers(const struct exports *e, const struct rows *r, const struct wanted *list,
	size_t n, bool is_wide)
{
	uint64_t row = r->at, at;
	char name[MAX_NAME];

	for (size_t i = 0; i < MAX_ROWS && (at = hotspot_u64(e->h, row, r->name)) != 0;
		i++, row += r->stride) {
		read_name(e->h, at, name);
		for (size_t k = 0; k < n; k++)
			if (!strcmp(name, list[k].type))
				put(e->h, &list[k],
					is_wide ? hotspot_u64(e->h, row, r->offset)
						: hotspot_u32(e->h, row, r->offset));
	}
}

static bool read_tables(const struct exports *e)
{
	struct rows types = {.at = exported(e, "gHotSpotVMTypes"),
		.stride = exported(e, "gHotSpotVMTypeEntryArrayStride"),
		.name = exported(e, "gHotSpotVMTypeEntryTypeNameOffset"),
		.offset = exported(e, "gHotSpotVMTypeEntrySizeOffset")};
	struct rows ints = {.at = exported(e, "gHotSpotVMIntConstants"),
		.stride = exported(e, "gHotSpotVMIntConstantEntryArrayStride"),
		.name = exported(e, "gHotSpotVMIntConstantEntryNameOffset"),
		.offset = exported(e, "gHotSpotVMIntConstantEntryValueOffset")};

	memset(&e->h->vm, 0xff, sizeof e->h->vm); /* HOTSPOT_NONE */
	if (!read_fields(e))
		return false;
	read_numbers(e, &types, sizes, ARRAY_SIZE(sizes), true);
	read_numbers(e, &ints, numbers, ARRAY_SIZE(numbers), false);
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (got(e->h, needed[i]) == HOTSPOT_NONE)
			return false;
	return true;
}

/* ---- How it was started ---- */

/* What was asked for with -XX. */
struct flags {
	uint8_t narrow_oops, narrow_klasses, z, generational, small_headers;
};

static void read_flags(struct hotspot *h, struct flags *f)
{
	const struct {
		const char *name;
		uint8_t *at;
	} rows[] = {{"UseCompressedOops", &f->narrow_oops},
		{"UseCompressedClassPointers", &f->narrow_klasses}, {"UseZGC", &f->z},
		{"ZGenerational", &f->generational},
		{"UseCompactObjectHeaders", &f->small_headers}};
	const struct hotspot_vm *vm = &h->vm;
	uint64_t flag = hotspot_u64(h, vm->v_flags, 0), n = hotspot_u64(h, vm->v_n_flags, 0);
	char name[MAX_NAME];
	size_t found = 0;

	if (vm->size_flag == HOTSPOT_NONE)
		return;
	for (size_t i = 0; i < n && i < MAX_FLAGS && found < ARRAY_SIZE(rows);
		i++, flag += vm->size_flag) {
		read_name(h, hotspot_u64(h, flag, vm->flag_name), name);
		for (size_t k = 0; k < ARRAY_SIZE(rows); k++)
			if (!strcmp(name, rows[k].name))
				found += memory_cached(&h->memory,
					hotspot_u64(h, flag, vm->flag_addr), rows[k].at, 1);
	}
}

/* Where objects and code lie. */
static void read_places(struct hotspot *h)
{
	const struct hotspot_vm *vm = &h->vm;
	uint64_t stubs = hotspot_u64(h, vm->v_interpreter, 0);
	struct flags f = {0};

	read_flags(h, &f);
	h->narrow_oops = f.narrow_oops != 0;
	h->narrow_klasses = f.narrow_klasses != 0;
	/* Generational ZGC, the only one from 23 on, shifts its pointers; small headers have their class elsewhere. */
	h->has_heap = !(f.z && (f.generational || h->version >= 23)) && !f.small_headers;
	h->oop_base = hotspot_u64(h, vm->v_oop_base, 0);
	h->oop_shift = hotspot_u32(h, vm->v_oop_shift, 0) & 31;
	h->klass_base = hotspot_u64(h, vm->v_klass_base, 0);
	h->klass_shift = hotspot_u32(h, vm->v_klass_shift, 0) & 31;
	h->interpreter = hotspot_u64(h, stubs, vm->stub_buffer);
	h->interpreter_end = h->interpreter + hotspot_u32(h, stubs, vm->stub_limit);
	h->call_stub = hotspot_u64(h, vm->v_call_stub, 0);
}

bool hotspot_is_there(const struct runtime_process *p)
{
	uint64_t at;

	return symbols_named(
		p->symbols, p->key, p->pid, "gHotSpotVMStructs", is_libjvm, NULL, &at, NULL);
}

/* "Main" of "com.acme.Main -v", "app.jar" of "/opt/app.jar": what java was asked to run. */
static void read_program(struct hotspot *h)
{
	char command[512];
	const char *name, *slash, *dot;

	memory_string(&h->memory, hotspot_u64(h, h->vm.v_command, 0), command, sizeof command);
	command[strcspn(command, " ")] = '\0';
	slash = strrchr(command, '/');
	name = slash ? slash + 1 : command;
	dot = strrchr(name, '.');
	if (dot && strcmp(dot, ".jar") != 0)
		name = dot + 1;
	(void)snprintf(h->program, sizeof h->program, "%.63s", name);
}

int hotspot_vm_open(struct hotspot *h, const struct runtime_process *p, struct buf *why)
{
	const struct exports e = {h, p};

	if (!hotspot_is_there(p))
		return -ENOENT;
	if (!read_tables(&e)) {
		buf_adds(why,
			"its Java virtual machine does not say how its memory is laid out (jstack shows its threads and locks)");
		return -ENOTSUP;
	}
	h->version = (int)hotspot_u32(h, h->vm.v_version, 0);
	if (h->version < OLDEST || h->version > NEWEST) {
		buf_addf(why,
			"pptrace does not know the memory layout of Java %d (jstack shows its threads and locks)",
			h->version);
		return -ENOTSUP;
	}
	read_places(h);
	read_program(h);
	if (!h->has_heap) {
		buf_adds(why,
			"its Java objects are laid out in a way that pptrace does not know"
			" (generational ZGC, or compact headers; jstack shows its threads and locks)");
		return -ENOTSUP;
	}
	return 0;
}
