/* shim.h - what the parts of the preload library share. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order, from the bottom up: sys (raw system calls), real
 * (the functions behind the wrappers), options (what the environment asks),
 * arena (the file that is recorded into) and its pieces chunk, task (numbers of
 * threads), ring (a thread's own), ring_write (a record goes into it), maps and
 * modules, ring_record (what the wrappers call to record something), object
 * (locks seen first), site, outlined, stack, filter (seccomp), privileges, asan. locks/ and calls/
 * wrap the C library's functions, build on these files and not on each other.
 */
#ifndef PROBES_SHIM_SHIM_H
#define PROBES_SHIM_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arch.h"
#include "probes/shim/libc.h"
#include "probes/shim/sys.h"
#include "schema/arena.h"
#include "schema/record.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* A function of the C library that this library stands in front of. */
#define WRAPPER __attribute__((visibility("default"))) __typeof__

/* The call site outside this library. Only in the wrapper itself. */
#define SITE ((uint64_t)(uintptr_t)__builtin_return_address(0))
#define ADDR(p) ((uint64_t)(uintptr_t)(p))

/* ---- The functions behind the wrappers (real.c) ---- */

/*
 * Returns the next definition of a function after this library's own, in the
 * order in which the loader searches. Takes no lock and allocates nothing, so
 * that it works in signal handlers, in constructors, and while another thread
 * is inside dlopen. NULL if there is none. version NULL: the default one.
 */
void *shim_resolve(void **cache, const char *name, const char *version);

/*
 * Says whether that definition is the C library's own. If not, another library stands in front of it (a sanitizer, a
 * user-level network stack), which must see the call under the name that the program called.
 */
bool shim_next_is_libc(const char *name);

#define REAL_AS(name, symbol, version)                                                             \
	static inline __typeof__(&name) real_##name(void)                                          \
	{                                                                                          \
		static AT_HAND void *cache;                                                        \
		void *p = __atomic_load_n(&cache, __ATOMIC_RELAXED);                               \
                                                                                                   \
		if (unlikely(!p))                                                                  \
			p = shim_resolve(&cache, symbol, version);                                 \
		return (__typeof__(&name))p;                                                       \
	}
#define REAL(name) REAL_AS(name, #name, NULL)

/* ---- Records, and the ring that they are written into (arena.c, ring.c, ring_write.c, ring_record.c) ---- */

/*
 * How many slots may be reserved by nested signal handlers between a check for room and a reservation; and how
 * many must be left for records that are not vital, so that those always find some.
 */
#define RING_NESTED (4 * ARENA_RECORD_SLOTS)
#define RING_MARGIN (2 * RING_NESTED)

/*
 * How far ahead of a slot its memory is fetched. The tracer has read what was there before, so that each cache line comes
 * from another processor, and the next atomic instruction of the mutex itself waits until it is here.
 */
enum { RING_PREFETCH_WORDS = 16 * ARENA_SLOT_WORDS };

enum { RING_CHUNKS = 4 }; /* chunks of a ring that are reachable for writing, a power of two */

#define NO_EPOCH UINT64_MAX

/*
 * Equal holds of one lock that a thread adds up by itself (locks/series.h), or, slots NULL, the last acquisition, which
 * the next ones may be like.
 */
struct ring_series {
	uint64_t what, site; /* words 1 and 2 of the slot, without the tag */
	uint64_t give_site;
	uint64_t *slots;       /* in the ring */
	uint64_t next;         /* the ring's head as long as nothing else was recorded */
	uint64_t first, since; /* since 0: it is not held */
	uint64_t held, longest;
	const uint32_t *wanted; /* the lock's */
	uint32_t was_wanted;    /* what it was at the begin */
	uint32_t count;
	uint32_t alike;   /* acquisitions in a row before it */
	uint32_t singles; /* that were recorded one by one, up to SERIES_SINGLES */
};

/* A thread's own view of its ring. */
struct ring_local {
	uint64_t epoch; /* equal to *shim_epoch: the rest is valid in this process */
	uint64_t *head; /* of the ring */
	uint64_t limit; /* first slot that has no chunk yet */
	struct {
		uint64_t *data;
		uint64_t tag; /* generation and ARENA_TAG_HEAD, shifted to their place */
	} chunk[RING_CHUNKS];
	struct arena_ring *ring;
	uint32_t last_chunk;
	uint32_t task; /* not 0: the child of a vfork runs as this thread */
	bool vital;    /* the record that wants room is a birth or an end */
	bool busy;     /* in the making, with signals that could not be blocked */
	bool quiet; /* what happens now is this library's own doing; epoch is NO_EPOCH meanwhile */
	uint32_t skip; /* records to drop before trying again to get a ring */
	struct ring_series series;
};

extern __thread struct ring_local ring_local;

/* In a page that fork wipes: 0 in a child until it has a ring of its own. */
extern const uint64_t *shim_epoch;
extern bool shim_tsc;

/*
 * Says whether this task has a thread descriptor of the C library's, behind which
 * ring_local lies. One that was made by clone with CLONE_SETTLS may have anything
 * there: Chromium gives a short-lived child zeros.
 */
static inline bool shim_has_tls(void)
{
	return arch_has_tls();
}

/*
 * Makes room for one record; false: there is none, the loss is counted. The first
 * time in a program, its modules are recorded.
 */
bool ring_room(void);

/* Says whether there is room for one record as things stand. */
static inline bool ring_has_room(const struct ring_local *t)
{
	return likely(t->epoch == *shim_epoch && *t->head + RING_MARGIN < t->limit);
}

/* Ends recording in this process, without a system call: a clock may be read no more. */
void shim_mute(void);

/* Says whether this process records at all: true maps the arena if that has not happened. */
bool shim_active(void);

/* Says whether everything is recorded, not locks alone. */
#define shim_everything() unlikely(shim_all)
extern bool shim_all;

/* As clock_gettime or the processor's counter, whichever the arena uses: maps it first if that has not happened. */
uint64_t shim_clock(void);

/* The time now; no earlier instruction may happen after it. */
static inline uint64_t shim_now(void)
{
	return likely(shim_tsc) ? arch_counter() : shim_clock();
}

/* The same without the fence, for what ends something: too early does no harm. */
static inline uint64_t shim_now_early(void)
{
	return likely(shim_tsc) ? arch_counter_early() : shim_clock();
}

/* Adds with one instruction: whole against signal handlers of this thread, its only other writers. */
static inline uint64_t ring_reserve(uint64_t *head, uint64_t n)
{
	return arch_add(head, n);
}

/* Where slot n lies, and its tag; NULL if handlers used up all the margin in between. */
static inline uint64_t *ring_slot(const struct ring_local *t, uint64_t n, uint64_t *ret_tag)
{
	unsigned c = (unsigned)(n / ARENA_CHUNK_SLOTS) % RING_CHUNKS;

	if (unlikely(t->limit - 1 - n >= RING_CHUNKS * ARENA_CHUNK_SLOTS))
		return NULL;
	*ret_tag = t->chunk[c].tag;
	return t->chunk[c].data + (n % ARENA_CHUNK_SLOTS) * ARENA_SLOT_WORDS;
}

/* A reserved slot; slot NULL: nothing is recorded. */
struct ring_entry {
	uint64_t *slot;
	uint64_t tag;
};

static inline struct ring_entry ring_begin(void)
{
	struct ring_local *t = &ring_local;
	struct ring_entry e = {NULL, 0};

	if (unlikely(!shim_has_tls()))
		return e;
	if (!ring_has_room(t) && !ring_room())
		return e;
	e.slot = ring_slot(t, ring_reserve(t->head, 1), &e.tag);
	if (likely(e.slot))
		arch_prefetch_write(e.slot + RING_PREFETCH_WORDS);
	return e;
}

static inline void ring_end(
	struct ring_entry e, uint64_t ts, uint64_t addr, unsigned kind, uint64_t site)
{
	if (unlikely(!e.slot))
		return;
	e.slot[0] = ts;
	e.slot[1] = (addr & ARENA_ADDR_MASK) | (uint64_t)kind << 48;
	__atomic_store_n(&e.slot[2], (site & ARENA_ADDR_MASK) | e.tag, __ATOMIC_RELEASE);
}

/* The kind and aux bytes of a lock slot. */
#define RING_KIND(slot, lock, aux) ((unsigned)((slot) << 4 | (lock)) | (unsigned)(aux) << 8)

/* Records rec, of which kind, size and ts are set here if they are 0. pid is not 0: of that task instead of this one. */
void ring_record(struct rec_head *rec, unsigned kind, size_t size);
#define RECORD(NAME, r) ring_record(&(r)->head, REC_##NAME, sizeof *(r))

/*
 * For what has its time before others can see it, but its contents only
 * afterwards (the pid of a child): reserves room for a record of a kind now,
 * and fills it later. Every begun one must be ended; ok false: there is
 * nothing to record after all.
 */
struct ring_pending {
	struct ring_local *thread; /* NULL: there was no room */
	uint64_t first, ts;
	size_t size;
};
void ring_record_begin(struct ring_pending *p, size_t size);
void ring_record_end(struct ring_pending *p, struct rec_head *rec, unsigned kind, bool ok);

/* ---- Objects (object.c) ---- */

/* Says whether an object that is shared between processes was not seen before in this process. */
bool object_is_new(const void *addr);

/* Records that an object begins its life, or was seen first. pshared objects get what they are mapped from. */
void object_init(const void *addr, unsigned kind, unsigned type, bool pshared, uint64_t value,
	uint64_t site, const char *name);
void object_destroy(const void *addr, unsigned kind);

/*
 * Returns a number that changes when somebody begins to wait for an object, makes it anew or destroys it; several objects
 * share one. object_want changes it.
 */
const uint32_t *object_wanted(uint64_t addr);
void object_want(uint64_t addr);

/* Finds what shared memory an address is mapped from; leaves zeros where it is private. */
void object_place(const void *addr, uint64_t *ret_dev, uint64_t *ret_inode, uint64_t *ret_offset);

/* ---- Call sites (site.c) ---- */

/* Returns the call site in the program where site lies in libstdc++. */
uint64_t site_outside(uint64_t site);

#endif
