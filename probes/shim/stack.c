/* stack.c - the callers of a lock call. */
/* SPDX-License-Identifier: MIT */
/*
 * Of each that acquires a lock with run --stacks; else of those alone that outlined.c knows.
 *
 * Whether a function keeps a frame pointer at a place in it does not change. The
 * first time that a place is met libgcc's unwinder walks the stack by the unwind
 * tables, and it is noted for each place whether its frame pointer led to the
 * same caller. From then on a stack whose places all keep one is walked by a
 * few loads; any other by the unwinder each time.
 *
 * A stack that was recorded before is told by its number. It ends with 8 frames or
 * where the C library called the program.
 */
#include "probes/shim/stack.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <string.h>
#include <sys/auxv.h>
#include <unwind.h>

#include "probes/shim/options.h"
#include "probes/shim/shim.h"

enum {
	FRAMES = 8,
	KNOWN = 32,    /* numbers of stacks that a thread remembers to have told */
	PLACES = 4096, /* of code; a power of two */
	/* below the program's arguments the kernel maps nothing else */
	MAIN_STACK = 8 * 1024 * 1024,
	FRAME_REGISTER = 6 /* DWARF's number of rbp */
};

/* What is known of a place, in the two upper bits of its word. */
enum place { PLACE_UNKNOWN, PLACE_KEEPS, PLACE_DOES_NOT, PLACE_LIBRARY };

typedef _Unwind_Reason_Code unwind_backtrace(_Unwind_Trace_Fn visit, void *arg);
typedef _Unwind_Ptr unwind_ip(struct _Unwind_Context *context);
typedef _Unwind_Word unwind_cfa(struct _Unwind_Context *context);
typedef _Unwind_Word unwind_register(struct _Unwind_Context *context, int number);

unsigned char shim_stacks;

static struct {
	unwind_backtrace *backtrace;
	unwind_ip *ip;
	unwind_cfa *cfa;
	unwind_register *reg;
	uint64_t low, high; /* the C library's code */
} unwinder;

static uint64_t places[PLACES];

/* Of a thread. */
static __thread struct {
	uint64_t low, high; /* its stack; high 0: not known */
	uint64_t epoch;     /* a forked child has told nothing yet */
	uint64_t last;
	uint64_t known[KNOWN];
} mine;

static uint64_t *place_of(uint64_t addr)
{
	return &places[(addr * 0x9e3779b97f4a7c15ull) >> 52];
}

_Static_assert(PLACES == 1 << 12, "the 12 upper bits of 64");

static enum place place_get(uint64_t addr)
{
	uint64_t word = __atomic_load_n(place_of(addr), __ATOMIC_RELAXED);

	return (word & ARENA_ADDR_MASK) == addr ? (enum place)(word >> 62) : PLACE_UNKNOWN;
}

static void place_set(uint64_t addr, enum place what)
{
	__atomic_store_n(place_of(addr), addr | (uint64_t)what << 62, __ATOMIC_RELAXED);
}

/* ---- By the unwind tables ---- */

struct walk {
	uint64_t site;
	uint64_t *frames;
	size_t n;
	uint64_t frame_pointer; /* of the frame before */
};

static bool is_library(uint64_t ip)
{
	return ip >= unwinder.low && ip < unwinder.high;
}

static _Unwind_Reason_Code visit(struct _Unwind_Context *context, void *arg)
{
	struct walk *w = arg;
	uint64_t ip = unwinder.ip(context);

	if (!w->n && ip != w->site)
		return _URC_NO_REASON; /* this library's own frames */
	/* Where this frame begins, the one before ends: its frame pointer is two words below, if it keeps one. */
	if (w->n)
		place_set(w->frames[w->n - 1], unwinder.cfa(context) == w->frame_pointer + 16
						       ? PLACE_KEEPS
						       : PLACE_DOES_NOT);
	if (!ip || is_library(ip)) {
		if (ip)
			place_set(ip, PLACE_LIBRARY);
		return _URC_END_OF_STACK;
	}
	w->frame_pointer = unwinder.reg(context, FRAME_REGISTER);
	w->frames[w->n++] = ip;
	return w->n == FRAMES ? _URC_END_OF_STACK : _URC_NO_REASON;
}

static size_t walk_tables(uint64_t site, uint64_t *frames)
{
	struct walk w = {.site = site, .frames = frames};
	struct ring_local *t = &ring_local;
	uint64_t epoch = t->epoch;

	/* The unwinder locks, too. */
	t->quiet = true;
	t->epoch = NO_EPOCH;
	(void)unwinder.backtrace(visit, &w);
	t->epoch = epoch;
	t->quiet = false;
	return w.n;
}

/* ---- By frame pointers ---- */

/* Says whether two words at fp can be read: they lie in this thread's stack, above the frame before. */
static bool in_stack(uint64_t fp, uint64_t below)
{
	return fp > below && fp % 8 == 0 && below >= mine.low && fp + 16 <= mine.high;
}

/*
 * Walks on from the frame pointer of the wrapper's caller; returns how many frames there are, 0: some place on the way is not
 * known to keep one.
 */
static size_t walk_pointers(uint64_t fp, uint64_t below, uint64_t *frames)
{
	size_t n = 1;

	while (n < FRAMES) {
		enum place what = place_get(frames[n - 1]);
		uint64_t pair[2];

		if (what != PLACE_KEEPS || !in_stack(fp, below))
			return 0;
		memcpy(pair, (const void *)(uintptr_t)fp, sizeof pair);
		if (place_get(pair[1]) == PLACE_LIBRARY)
			return n;
		below = fp;
		fp = pair[0];
		frames[n++] = pair[1];
	}
	return n;
}

/* The main thread's stack ends above its program's arguments; nobody says where that of a thread is that was made by a raw call. */
static void find_stack(uint64_t sp)
{
	uint64_t top = getauxval(AT_RANDOM);

	if (!mine.high && sp < top && top - sp < MAIN_STACK) {
		mine.low = top - MAIN_STACK;
		mine.high = top & ~7ull;
	}
}

/* The frame pointer that the caller of the wrapper had; 0: it is not among the first frames. This library keeps frame pointers. */
static uint64_t caller_pointer(const uint64_t *fp, uint64_t site, uint64_t *ret_below)
{
	for (int i = 0; i < 4; i++) {
		if (fp[1] == site) {
			*ret_below = (uint64_t)(uintptr_t)fp;
			return fp[0];
		}
		if (fp[0] <= (uint64_t)(uintptr_t)fp || fp[0] >= mine.high)
			break;
		fp = (const uint64_t *)(uintptr_t)fp[0];
	}
	return 0;
}

static size_t walk(const uint64_t *own, uint64_t site, uint64_t *frames)
{
	uint64_t below = 0, fp;
	size_t n = 0;

	frames[0] = site;
	find_stack((uint64_t)(uintptr_t)own);
	fp = mine.high ? caller_pointer(own, site, &below) : 0;
	if (fp)
		n = walk_pointers(fp, below, frames);
	if (!n)
		n = walk_tables(site, frames);
	return n ? n : 1;
}

/* ---- Telling ---- */

__attribute__((noinline)) void stack_record(uint64_t site)
{
	uint64_t frames[FRAMES], id = 0;
	struct rec_LOCK_STACK r;
	size_t n;

	if (unlikely(!shim_has_tls()) || ring_local.quiet)
		return;
	if (mine.epoch != *shim_epoch) {
		mine.epoch = *shim_epoch;
		mine.last = 0;
		memset(mine.known, 0, sizeof mine.known);
	}
	n = shim_stacks == STACKS_ALL
		    ? walk(__builtin_frame_address(0), site, frames)
		    : outlined_walk(__builtin_frame_address(0), site, frames, FRAMES);
	for (size_t i = 0; i < n; i++)
		id = (id ^ frames[i]) * 0x9e3779b97f4a7c15ull + (id >> 29);
	id |= 1;
	if (id == mine.last)
		return;
	memset(&r, 0, sizeof r);
	r.id = id;
	if (mine.known[id / 2 % KNOWN] != id)
		memcpy(&r.frame_0, frames, n * sizeof *frames);
	RECORD(LOCK_STACK, &r);
	mine.last = mine.known[id / 2 % KNOWN] = id;
}

_Static_assert(offsetof(struct rec_LOCK_STACK, frame_7) ==
		       offsetof(struct rec_LOCK_STACK, frame_0) + (FRAMES - 1) * sizeof(uint64_t),
	"one after the other");

/* ---- Starting ---- */

static void find_c_library(void)
{
	for (const struct link_map *map = _r_debug.r_map; map; map = map->l_next) {
		const ElfW(Ehdr) *e = (const ElfW(Ehdr) *)map->l_addr;
		const ElfW(Phdr) * p;

		if (!strstr(map->l_name, "/libc.so.6"))
			continue;
		p = (const ElfW(Phdr) *)(map->l_addr + e->e_phoff);
		for (unsigned i = 0; i < e->e_phnum; i++) {
			if (p[i].p_type != PT_LOAD || !(p[i].p_flags & PF_X))
				continue;
			unwinder.low = map->l_addr + p[i].p_vaddr;
			unwinder.high = unwinder.low + p[i].p_memsz;
		}
	}
}

/* Loads the unwinder; says whether there is one. */
static bool load_unwinder(void)
{
	void *library, *none = NULL;

	/* Without _dl_find_object (glibc 2.35) the unwinder takes a lock that the loader may hold. */
	if (!dlopen || !dlsym || !shim_resolve(&none, "_dl_find_object", NULL))
		return false;
	library = dlopen("libgcc_s.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return false;
	find_c_library();
	*(void **)&unwinder.ip = dlsym(library, "_Unwind_GetIP");
	*(void **)&unwinder.cfa = dlsym(library, "_Unwind_GetCFA");
	*(void **)&unwinder.reg = dlsym(library, "_Unwind_GetGR");
	if (unwinder.ip && unwinder.cfa && unwinder.reg)
		*(void **)&unwinder.backtrace = dlsym(library, "_Unwind_Backtrace");
	return unwinder.backtrace;
}

/* While nobody is inside a lock call yet. */
__attribute__((constructor)) static void start(void)
{
	unsigned char what = STACKS_NONE;

	shim_options_read();
	if (shim_options.stacks)
		what = load_unwinder() ? STACKS_ALL : STACKS_NONE;
	else if (outlined_start())
		what = STACKS_OUTLINED;
	__atomic_store_n(&shim_stacks, what, __ATOMIC_RELEASE);
}

void stack_thread(void)
{
	pthread_attr_t attr;
	void *low = NULL;
	size_t size = 0;

	if (shim_stacks != STACKS_ALL || !pthread_getattr_np || !pthread_attr_getstack ||
		pthread_getattr_np(pthread_self(), &attr) != 0)
		return;
	if (pthread_attr_getstack(&attr, &low, &size) == 0) {
		mine.low = (uint64_t)(uintptr_t)low;
		mine.high = mine.low + size;
	}
	(void)pthread_attr_destroy(&attr);
}
