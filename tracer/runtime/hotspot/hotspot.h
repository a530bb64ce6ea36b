/* hotspot.h - what the files that read the HotSpot virtual machine share. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_RUNTIME_HOTSPOT_HOTSPOT_H
#define TRACER_RUNTIME_HOTSPOT_HOTSPOT_H

/*
 * To be read in this order: hotspot.c (threads), vm.c (what the virtual machine says about itself), object.c
 * (classes, fields, strings, methods), stream.c (compressed tables), frame.c and code.c (stacks), lock.c (what a
 * thread waits for), init.c (the class whose initialisation it waits for), hooks.c (what is to be done at the end).
 */
#include "base/hash.h"
#include "tracer/runtime/memory.h"
#include "tracer/runtime/runtime.h"
#include "tracer/runtime/tasks.h"

/* Not there in this release. */
#define HOTSPOT_NONE UINT64_MAX

/*
 * What the virtual machine says about itself: offsets of members and sizes, in
 * bytes; addresses of static variables (v_...); constants (c_...). vm.c
 * has the names under which it says them.
 */
struct hotspot_vm {
	uint64_t v_thread_list, v_first_thread, v_interpreter, v_call_stub, v_heaps;
	uint64_t v_oop_base, v_oop_shift, v_klass_base, v_klass_shift;
	uint64_t v_flags, v_n_flags, v_version, v_command, v_loaders;
	uint64_t list_length, list_threads;
	uint64_t thread_next, thread_object, thread_virtual, thread_os, thread_state,
		thread_pending, thread_waiting, thread_anchor, thread_stack, thread_stack_size,
		thread_lock_stack;
	uint64_t lock_stack_top, lock_stack_base;
	uint64_t os_tid, os_state;
	uint64_t anchor_sp, anchor_pc, anchor_fp, wrapper_anchor;
	uint64_t monitor_object, monitor_owner;
	uint64_t oop_klass, oop_narrow_klass;
	uint64_t klass_name, klass_super, klass_mirror, klass_constants;
	uint64_t klass_fields, klass_fields_n, klass_field_stream, klass_file;
	uint64_t klass_next, klass_init_thread, klass_init_state;
	uint64_t loader_next, loader_klasses;
	uint64_t method_const, method_access;
	uint64_t const_pool, const_words, const_flags, const_code_size, const_name;
	uint64_t pool_holder, pool_file;
	uint64_t symbol_length, symbol_body;
	uint64_t array_length, array_u1, array_u2;
	uint64_t stub_buffer, stub_limit;
	uint64_t growable_len, growable_data;
	uint64_t heap_memory, heap_segmap, heap_log2, space_low, space_high, block_used;
	uint64_t blob_name, blob_frame_size, blob_code_begin;
	uint64_t code_method, code_scopes, code_pcs, code_pcs_end, code_metadata;
	uint64_t pc_offset, pc_scope;
	uint64_t flag_name, flag_addr;
	uint64_t size_const, size_pool, size_block, size_pc, size_flag, size_thread;
	uint64_t c_blocked, c_initialising;
};

/* A Java class, read once. */
struct hotspot_class {
	char name[128]; /* "java.util.concurrent.locks.ReentrantLock" */
	uint64_t klass, super, mirror;
	bool is_library; /* of the Java platform */
};

/* A method, read once. */
struct hotspot_method {
	char function[160], file[96]; /* "Bank.transfer", "Bank.java" */
	const struct hotspot_class *class;
	uint64_t code; /* address of its bytecodes */
	uint32_t code_size;
	bool is_native, is_static;
	uint8_t *lines; /* compressed table, owned */
	size_t n_lines;
};

/* A frame as it was found on a stack. */
struct hotspot_frame {
	const struct hotspot_method *method;
	int bci; /* -1: not known, or none */
	uint64_t
		locals; /* of an interpreted frame: address of local variable 0, the others below; 0: none */
};

struct hotspot {
	struct memory memory;
	struct hotspot_vm vm;
	int version; /* 17; of the Java platform */
	bool narrow_oops, narrow_klasses;
	bool has_heap; /* objects may be read: no collector that colours its pointers */
	uint64_t oop_base, klass_base;
	unsigned oop_shift, klass_shift;
	char program[64]; /* "Bank", "app.jar" */
	uint64_t interpreter, interpreter_end, call_stub;
	struct hash classes; /* struct hotspot_class by address, owned */
	struct hash methods; /* struct hotspot_method by address, owned */
};

/* A thread of the virtual machine's list. */
struct hotspot_thread {
	uint64_t addr, object; /* of the java.lang.Thread; 0: it has none yet */
	const struct task *task;
	uint64_t stack_low, stack_high;
	char name[64];
};

struct hotspot_threads {
	struct hotspot_thread *list;
	size_t n;
};

/* ---- vm.c ---- */

bool hotspot_is_there(const struct runtime_process *p);

/*
 * Finds the virtual machine of a process and reads what it says of itself.
 * Returns 0; -ENOENT if there is none; -ENOTSUP with one sentence in why if it
 * is of a release, or set up in a way, that is not understood.
 */
int hotspot_vm_open(struct hotspot *h, const struct runtime_process *p, struct buf *why);

/* Reads numbers; 0 where they cannot be read or offset is HOTSPOT_NONE. */
uint64_t hotspot_u64(struct hotspot *h, uint64_t addr, uint64_t offset);
uint32_t hotspot_u32(struct hotspot *h, uint64_t addr, uint64_t offset);
uint16_t hotspot_u16(struct hotspot *h, uint64_t addr, uint64_t offset);

/* ---- stream.c ---- */

/* Numbers of one to five bytes, as the virtual machine compresses them: streams of fields, scopes, lines. */
struct hotspot_stream {
	const uint8_t *bytes;
	size_t len, at;
	unsigned excess; /* what each byte is too large by: 1 from Java 20 on, so that none is 0 */
	bool failed;     /* it ended too early */
};

uint32_t hotspot_stream_next(struct hotspot_stream *s);

/* Returns the source line of a bytecode index in a method's compressed table, or 0. */
int hotspot_line(const struct hotspot_method *method, int bci, int version);

/* ---- object.c ---- */

/* Reads the reference at an address within an object; 0: null, or it cannot be read. */
uint64_t hotspot_oop(struct hotspot *h, uint64_t addr);

/* Returns the class of an object, read once, or NULL if it is not one. It belongs to h, as those below do. */
const struct hotspot_class *hotspot_class_of(struct hotspot *h, uint64_t object);
const struct hotspot_class *hotspot_class(struct hotspot *h, uint64_t klass);

/* Says whether a class is, or comes from, the class of this name. */
bool hotspot_is_a(struct hotspot *h, const struct hotspot_class *class, const char *name);

/* Gets one field of a class: its name, its type as in a class file, its offset. False ends the walk. */
typedef bool hotspot_visit(
	void *arg, const char *name, const char *type, bool is_static, uint32_t offset);

/* Walks the fields that a class itself declares. */
void hotspot_fields(
	struct hotspot *h, const struct hotspot_class *class, hotspot_visit *visit, void *arg);

/* Returns the address of an object's field, declared in whichever class it comes from; 0: it has none. */
uint64_t hotspot_field(struct hotspot *h, uint64_t object, const char *name);

/* Returns what an object's field refers to, or 0. */
uint64_t hotspot_field_oop(struct hotspot *h, uint64_t object, const char *name);

/* Reads a java.lang.String as UTF-8, cut to size - 1 bytes; empty if it is none. */
void hotspot_string(struct hotspot *h, uint64_t object, char *ret, size_t size);

/* Returns the method at an address, read once, or NULL if it is not one. */
const struct hotspot_method *hotspot_method(struct hotspot *h, uint64_t addr);

/* ---- frame.c, code.c ---- */

/* Fills up to max frames of a thread that is not running Java code, from the innermost on. */
size_t hotspot_frames(
	struct hotspot *h, const struct hotspot_thread *t, struct hotspot_frame *ret, size_t max);

/*
 * Adds the frames of compiled code at pc, those that were inlined first. Returns
 * how many bytes its stack frame has, 0 if there is no such code.
 */
uint64_t hotspot_code(
	struct hotspot *h, uint64_t pc, struct hotspot_frame *ret, size_t max, size_t *n);

/* ---- init.c ---- */

/*
 * Says whether a thread waits until another one has initialised a class, and fills what it waits for. lock: the object on
 * whose monitor it waits; 0: on none.
 */
bool hotspot_initialisation(struct hotspot *h, const struct hotspot_threads *all,
	const struct hotspot_thread *t, uint64_t lock, struct runtime_wait *w);

/* ---- hooks.c ---- */

/* Says whether the program has a shutdown hook of its own. */
enum hooks hotspot_hooks(struct hotspot *h);

/* ---- lock.c ---- */

/* Says what a thread waits for that Java knows. */
void hotspot_wait(struct hotspot *h, const struct hotspot_threads *all,
	const struct hotspot_thread *t, const struct hotspot_frame *frames, size_t n,
	struct runtime_wait *ret);

/*
 * Says whether a thread that hotspot_wait said to be blocked on a monitor still
 * is, and its owner the same. One of those that wait for a monitor wakes up now
 * and then to see whether it is free, and so does not sleep all the while.
 */
bool hotspot_still_waits(
	struct hotspot *h, const struct hotspot_thread *t, const struct runtime_wait *w);

#endif
