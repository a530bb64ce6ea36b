/* layout.c - where the runtime of a Go program keeps what, by the program's own debugging information. */
/* SPDX-License-Identifier: MIT */
/*
 * Go puts debugging information into a program unless it is told not to (-w), and
 * with it the runtime's own structures: no release needs a table of ours.
 */
#include "tracer/runtime/golang/golang.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arch.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/section.h"
#include "tracer/symbols/symbols.h"
#include "tracer/symbols/dwarf_text.h"

enum {
	MAX_ENTRIES = 400000, /* of debugging information: a hostile file may have circles */
	MAX_MEMBERS = 1000
};

struct wanted {
	const char *type, *member;
	size_t at; /* in struct golang_layout */
	bool is_optional;
};

#define WANT(at, type, member)                                                                     \
	{                                                                                          \
		type, member, offsetof(struct golang_layout, at), false                            \
	}
#define MAY(at, type, member)                                                                      \
	{                                                                                          \
		type, member, offsetof(struct golang_layout, at), true                             \
	}

static const struct wanted wanted[] = {
	WANT(g_stack, "runtime.g", "stack"),
	WANT(g_m, "runtime.g", "m"),
	WANT(g_sched, "runtime.g", "sched"),
	WANT(g_status, "runtime.g", "atomicstatus"),
	WANT(g_id, "runtime.g", "goid"),
	WANT(g_reason, "runtime.g", "waitreason"),
	WANT(g_waiting, "runtime.g", "waiting"),
	WANT(buf_sp, "runtime.gobuf", "sp"),
	WANT(buf_pc, "runtime.gobuf", "pc"),
	WANT(buf_bp, "runtime.gobuf", "bp"),
	WANT(m_procid, "runtime.m", "procid"),
	WANT(m_curg, "runtime.m", "curg"),
	WANT(m_next, "runtime.m", "alllink"),
	WANT(sudog_g, "runtime.sudog", "g"),
	WANT(sudog_elem, "runtime.sudog", "elem"),
	WANT(sudog_channel, "runtime.sudog", "c"),
	WANT(sudog_link, "runtime.sudog", "waitlink"),
	WANT(sudog_prev, "runtime.sudog", "prev"),
	WANT(sudog_next, "runtime.sudog", "next"),
	WANT(root_treap, "runtime.semaRoot", "treap"),
	MAY(g_start, "runtime.g", "startpc"),
	MAY(channel_type, "runtime.hchan", "elemtype"),
	MAY(p_timer_count, "runtime.p", "numTimers"),
	MAY(p_timers, "runtime.p", "timers"),
	MAY(timers_len, "runtime.timers", "len"),
	MAY(timers_heap, "runtime.timers", "heap"),
	MAY(timer_arg, "runtime.timer", "arg"),
	MAY(timer_status, "runtime.timer", "status"),
	MAY(timer_state, "runtime.timer", "state"),
	MAY(heap_spans, "runtime.mheap", "allspans"),
	MAY(span_start, "runtime.mspan", "startAddr"),
	MAY(span_pages, "runtime.mspan", "npages"),
	MAY(span_size, "runtime.mspan", "elemsize"),
	MAY(span_state, "runtime.mspan", "state"),
	MAY(span_class, "runtime.mspan", "spanclass"),
	MAY(g_defer, "runtime.g", "_defer"),
	MAY(g_panic, "runtime.g", "_panic"),
	MAY(module_pctab, "runtime.moduledata", "pctab"),
	MAY(module_pclntable, "runtime.moduledata", "pclntable"),
	MAY(module_ftab, "runtime.moduledata", "ftab"),
	MAY(module_text, "runtime.moduledata", "text"),
	MAY(module_gofunc, "runtime.moduledata", "gofunc"),
	MAY(module_next, "runtime.moduledata", "next"),
	MAY(module_data_mask, "runtime.moduledata", "gcdatamask"),
	MAY(module_bss_mask, "runtime.moduledata", "gcbssmask"),
	MAY(poll_fd, "runtime.pollDesc", "fd"),
	MAY(poll_reader, "runtime.pollDesc", "rg"),
	MAY(poll_writer, "runtime.pollDesc", "wg"),
	MAY(poll_read_deadline, "runtime.pollDesc", "rd"),
	MAY(poll_write_deadline, "runtime.pollDesc", "wd"),
	MAY(func_args, "runtime._func", "args"),
	MAY(func_npcdata, "runtime._func", "npcdata"),
	MAY(func_nfuncdata, "runtime._func", "nfuncdata"),
};

uint64_t golang_u64(struct golang *go, uint64_t addr, uint64_t offset)
{
	uint64_t value;

	return addr && offset != GOLANG_NONE &&
			       memory_cached(&go->memory, addr + offset, &value, sizeof value)
		       ? value
		       : 0;
}

uint32_t golang_u32(struct golang *go, uint64_t addr, uint64_t offset)
{
	uint32_t value;

	return addr && offset != GOLANG_NONE &&
			       memory_cached(&go->memory, addr + offset, &value, sizeof value)
		       ? value
		       : 0;
}

/* ---- Debugging information ---- */

static void put(struct golang_layout *l, size_t at, uint64_t value)
{
	memcpy((char *)l + at, &value, sizeof value);
}

static uint64_t got(const struct golang_layout *l, size_t at)
{
	uint64_t value;

	memcpy(&value, (const char *)l + at, sizeof value);
	return value;
}

static void take_member(struct golang_layout *l, const char *type, Dwarf_Die *member)
{
	const char *name = dwarf_text(member, DW_AT_name);
	Dwarf_Attribute attr;
	Dwarf_Word offset;

	if (!name || !dwarf_attr(member, DW_AT_data_member_location, &attr) ||
		dwarf_formudata(&attr, &offset) != 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (!strcmp(type, wanted[i].type) && !strcmp(name, wanted[i].member))
			put(l, wanted[i].at, offset);
}

/* Returns true if it was one of the wanted structures. */
static bool take_type(struct golang_layout *l, Dwarf_Die *die)
{
	const char *type =
		dwarf_tag(die) == DW_TAG_structure_type ? dwarf_text(die, DW_AT_name) : NULL;
	bool is_wanted = false;
	Dwarf_Die member;

	if (!type || strncmp(type, "runtime.", 8) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(wanted) && !is_wanted; i++)
		is_wanted = !strcmp(type, wanted[i].type);
	if (!is_wanted || dwarf_child(die, &member) != 0)
		return false;
	for (unsigned i = 0; i < MAX_MEMBERS; i++) {
		take_member(l, type, &member);
		if (dwarf_siblingof(&member, &member) != 0)
			break;
	}
	return true;
}

static bool is_complete(const struct golang_layout *l)
{
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (!wanted[i].is_optional && got(l, wanted[i].at) == GOLANG_NONE)
			return false;
	return l->p_timer_count != GOLANG_NONE ||
	       (l->p_timers != GOLANG_NONE && l->timers_len != GOLANG_NONE);
}

static bool has_spans(const struct golang_layout *l)
{
	return l->heap_spans != GOLANG_NONE && l->span_start != GOLANG_NONE &&
	       l->span_pages != GOLANG_NONE && l->span_size != GOLANG_NONE &&
	       l->span_state != GOLANG_NONE && l->span_class != GOLANG_NONE;
}

static bool has_maps(const struct golang_layout *l)
{
	return l->g_defer != GOLANG_NONE && l->g_panic != GOLANG_NONE &&
	       l->module_pctab != GOLANG_NONE && l->module_pclntable != GOLANG_NONE &&
	       l->module_ftab != GOLANG_NONE && l->module_text != GOLANG_NONE &&
	       l->module_gofunc != GOLANG_NONE && l->module_next != GOLANG_NONE &&
	       l->func_args != GOLANG_NONE && l->func_npcdata != GOLANG_NONE &&
	       l->func_nfuncdata != GOLANG_NONE;
}

static bool has_poll(const struct golang_layout *l)
{
	return l->poll_fd != GOLANG_NONE && l->poll_reader != GOLANG_NONE &&
	       l->poll_writer != GOLANG_NONE && l->poll_read_deadline != GOLANG_NONE &&
	       l->poll_write_deadline != GOLANG_NONE;
}

/* From 1.23 on a P's timers are a structure. */
static bool has_timers(const struct golang_layout *l)
{
	return l->timer_status != GOLANG_NONE ||
	       (l->timer_state != GOLANG_NONE && l->timers_heap != GOLANG_NONE);
}

static bool is_enough(const struct golang_layout *l)
{
	return is_complete(l) && has_spans(l) && has_maps(l);
}

static void read_layout(struct golang_layout *l, Dwarf *dwarf)
{
	Dwarf_Off off = 0, next;
	size_t header;
	unsigned visited = 0;

	while (dwarf_nextcu(dwarf, off, &next, &header, NULL, NULL, NULL) == 0 && next > off) {
		Dwarf_Die unit, die;

		if (!dwarf_offdie(dwarf, off + header, &unit) || dwarf_child(&unit, &die) != 0) {
			off = next;
			continue;
		}
		do {
			if (take_type(l, &die) && is_enough(l) && has_poll(l) && has_timers(l))
				return;
		} while (++visited < MAX_ENTRIES && dwarf_siblingof(&die, &die) == 0);
		/* The types stand together, in one unit. */
		if (is_enough(l))
			return;
		off = next;
	}
}

/* ---- The file ---- */

bool golang_is_there(const struct runtime_process *p)
{
	_cleanup_close_ int fd = runtime_open_exe(p);
	Elf *elf;
	bool is_there;

	(void)elf_version(EV_CURRENT);
	elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);
	is_there = elf && section_find(elf, ".go.buildinfo");
	(void)elf_end(elf);
	return is_there;
}

/*
 * The layout of the file that was read last: a recording reads the same program again and again, of which to unpack the debugging
 * information would be a third of the time.
 */
static struct {
	pthread_mutex_t mutex;
	struct stat file;
	struct golang_layout layout;
} last = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* Whether it is one file, and nothing has been written to it meanwhile: nobody can set the time of its last change. */
static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static bool is_known(const struct stat *file, struct golang_layout *ret)
{
	bool known;

	(void)pthread_mutex_lock(&last.mutex);
	known = last.file.st_ino && is_same(&last.file, file);
	if (known)
		*ret = last.layout;
	(void)pthread_mutex_unlock(&last.mutex);
	return known;
}

static void remember(const struct stat *file, const struct golang_layout *layout)
{
	(void)pthread_mutex_lock(&last.mutex);
	last.file = *file;
	last.layout = *layout;
	(void)pthread_mutex_unlock(&last.mutex);
}

static int layout_of(struct golang *go, const struct runtime_process *p, struct buf *why)
{
	_cleanup_close_ int fd = runtime_open_exe(p);
	struct stat file = {0};
	Dwarf *dwarf;

	memset(&go->layout, 0xff, sizeof go->layout); /* GOLANG_NONE */
	if (fd >= 0 && fstat(fd, &file) == 0 && is_known(&file, &go->layout))
		return 0;
	dwarf = fd < 0 ? NULL : dwarf_begin(fd, DWARF_C_READ);
	if (!dwarf) {
		buf_adds(why,
			"its Go program was built without debugging information (-ldflags=-w), so that its"
			" goroutines cannot be seen; a SIGQUIT makes it print them, and ends it");
		return -ENOTSUP;
	}
	read_layout(&go->layout, dwarf);
	(void)dwarf_end(dwarf);
	if (!is_complete(&go->layout)) {
		buf_adds(why,
			"the runtime of its Go program is laid out in a way that pptrace does not know");
		return -ENOTSUP;
	}
	if (file.st_ino)
		remember(&file, &go->layout);
	return 0;
}

/* ---- Symbols ---- */

static bool is_program(void *arg, const char *path)
{
	return !strcmp(path, arg);
}

uint64_t golang_symbol(struct golang *go, const char *name)
{
	const struct runtime_process *p = go->process;
	uint64_t at;

	return symbols_named(p->symbols, p->key, p->pid, name, is_program, go->exe, &at, NULL) ? at
											       : 0;
}

static void read_text(struct golang *go, uint64_t at, uint64_t len, char *ret, size_t size)
{
	len = len < size ? len : size - 1;
	if (!len || !memory_cached(&go->memory, at, ret, (size_t)len))
		len = 0;
	ret[len] = '\0';
}

/* waitReasonStrings: an array of strings, each an address and a length. */
static void read_reasons(struct golang *go)
{
	for (uint64_t i = 0; i < GOLANG_REASONS; i++) {
		uint64_t at = golang_u64(go, go->reasons_at, 16 * i);
		uint64_t len = golang_u64(go, go->reasons_at, 16 * i + 8);

		if (len >= sizeof go->reasons[i] || (!at && len))
			break; /* behind the last one */
		read_text(go, at, len, go->reasons[i], sizeof go->reasons[i]);
	}
}

const struct golang_call golang_calls[GOLANG_CALLS] = {
	{"sync.(*Mutex).Lock", 0, 1},
	{"sync.(*Mutex).Unlock", 0, -1},
	{"sync.(*RWMutex).Lock", 0, 1}, /* its first member is a mutex */
	{"sync.(*RWMutex).Unlock", 0, -1},
	{"sync.(*RWMutex).RLock", GOLANG_READERS, 1},
	{"sync.(*RWMutex).RUnlock", GOLANG_READERS, -1},
};

int golang_open(struct golang *go, const struct runtime_process *p, struct buf *why)
{
	int rc;

	if (!golang_is_there(p) || !runtime_exe(p, go->exe, sizeof go->exe))
		return -ENOENT;
	go->process = p;
	go->allgs = golang_symbol(go, "runtime.allgs");
	go->allm = golang_symbol(go, "runtime.allm");
	go->allp = golang_symbol(go, "runtime.allp");
	go->semtable = golang_symbol(go, "runtime.semtable");
	go->reasons_at = golang_symbol(go, "runtime.waitReasonStrings");
	if (!go->allgs || !go->allm || !go->allp || !go->semtable || !go->reasons_at) {
		buf_adds(why,
			"its Go program is stripped (-ldflags=-s), so that its goroutines cannot be seen;"
			" a SIGQUIT makes it print them, and ends it");
		return -ENOTSUP;
	}
	rc = layout_of(go, p, why);
	if (rc)
		return rc;
	go->heap = golang_symbol(go, "runtime.mheap_");
	go->has_spans = go->heap && has_spans(&go->layout);
	go->has_poll = has_poll(&go->layout);
	go->module = golang_symbol(go, "runtime.firstmoduledata");
	/* Of a program with plugins each part has its own tables. */
	go->has_maps = ARCH_GO_LOCALS_BELOW && go->module && has_maps(&go->layout) &&
		       !golang_u64(go, go->module, go->layout.module_next);
	for (size_t i = 0; i < GOLANG_CALLS; i++)
		go->calls[i] = golang_symbol(go, golang_calls[i].name);
	read_reasons(go);
	return 0;
}
