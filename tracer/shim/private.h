/* private.h - what the files that read the rings of the preload library share. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SHIM_PRIVATE_H
#define TRACER_SHIM_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "schema/arena.h"
#include "tracer/source.h"

/* Since Linux 5.14; older ones, whose headers lack them too, answer EINVAL. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

/* ---- The clock (clock.c) ---- */

/*
 * The rings carry the processor's counter where that is steady, and one
 * calibration would drift by 30 us a second: so each drain takes a pair of
 * both clocks, and a time between two pairs is interpolated.
 */
struct shim_clock_pair {
	uint64_t raw, mono;
	double slope; /* mono for raw until the next pair; set when that is there */
};

struct shim_clock {
	bool tsc; /* false: raw is CLOCK_MONOTONIC itself */
	struct shim_clock_pair *pairs;
	size_t len, cap;
	size_t hint; /* segment that was used last */
};

/* Says whether the processor's counter is a clock here. */
bool shim_clock_tsc(void);

/* Adds a pair of now; returns it. */
struct shim_clock_pair shim_clock_sample(struct shim_clock *c);

/* Returns the CLOCK_MONOTONIC of a raw time; before the first pair and after the last one the nearest slope is drawn out. */
uint64_t shim_clock_mono(struct shim_clock *c, uint64_t raw);

/* Forgets what is needed only for times before raw. */
void shim_clock_prune(struct shim_clock *c, uint64_t raw);
void shim_clock_done(struct shim_clock *c);

/* ---- The arena (layout.c) ---- */

/* The slots of a chunk as they were read out of the file (copied.c). */
struct shim_copy {
	uint64_t *slots; /* NULL until it is needed */
	uint32_t of;     /* the chunk, plus 1; 0: none */
};

enum { SHIM_COPIES = 32 };

#define SHIM_FUTURE_RAW (1ull << 36) /* no record is so much younger than the drain */

/* What is read from: the mapping and its layout, copied from the head when it was made and not read again. */
struct shim_arena {
	char *base;
	uint64_t bytes;
	uint32_t n_rings, n_chunks;
	uint64_t rings_at, chunks_at, data_at;
	uint16_t *gen;                        /* of each chunk, as the tracer set it */
	uint8_t *populated;                   /* chunks that this process has touched */
	bool check_populated;                 /* false: memory of a test, not a file */
	int fd;                               /* of the file, borrowed; -1: memory of a test */
	struct shim_copy copies[SHIM_COPIES]; /* of chunk c, if at all, number c modulo that */
};

/* Lays out an arena for the given sizes; returns the bytes it needs. */
uint64_t shim_arena_layout(struct shim_arena *a, uint32_t n_rings, uint32_t n_chunks);

/* Fills the memory at base, which is all zero, with an empty arena. */
void shim_arena_init(struct shim_arena *a, char *base);
void shim_arena_done(struct shim_arena *a);

/* Return parts of the memory at base, valid until shim_arena_done; i is below n_rings, or n_chunks (not checked). data: the slots of a chunk. */
struct arena_head *shim_arena_head(const struct shim_arena *a);
struct arena_ring *shim_arena_ring(const struct shim_arena *a, uint32_t i);
struct arena_chunk *shim_arena_chunk(const struct shim_arena *a, uint32_t i);
uint64_t *shim_arena_data(const struct shim_arena *a, uint32_t i);

/* ---- Rings (ring.c) ---- */

/* Equal holds, or tries in vain, that lie side by side in a ring. */
struct shim_fold {
	unsigned slot;            /* ARENA_ACQUIRE or ARENA_BUSY */
	uint64_t take, take_site; /* words 1 and 2 of the slot that takes the lock */
	uint64_t give, give_site; /* of the one that releases it */
	uint64_t first, last;     /* raw: the first is taken, the last released */
	uint64_t held, longest;   /* raw */
	uint64_t count, n_slots;
};

/* A series at the ring's tail (series.c): what was handed over of it, and what is to be next. */
struct shim_series {
	bool at_tail;
	uint64_t count, held, last,
		since;         /* handed over; of the fold, and the hold that has not ended */
	struct shim_fold fold; /* count not 0: it is next */
	uint64_t next_since;   /* otherwise this is */
};

struct shim_drain;

/* What the source keeps of one ring. Everything in the arena itself may be garbage. */
struct shim_ring {
	bool live;
	bool broken; /* contradicts itself: not read any further */
	bool dead;   /* its thread is gone: what is not committed never will be */
	uint32_t number;
	uint32_t ns_pid, ns_tid; /* as the process itself numbers them */
	uint32_t pid, tid;       /* as pptrace does, 0: not known (yet) */
	unsigned tries;          /* how often that was looked for */
	uint64_t image, pidns, born, parent, outer;
	uint64_t tail;    /* next slot to read */
	uint64_t head;    /* slots reserved when it was last looked at */
	uint32_t chunk;   /* of tail, plus 1 */
	uint64_t checked; /* when its thread was last seen alive, mono */
	uint64_t hole;    /* since when tail is reserved but not filled, mono; 0: it is not */
	uint64_t last;    /* raw time of the last record read */
	uint64_t request_addr, request_ts; /* of the last request */
	uint64_t next;                     /* raw time of the record at tail, for the heap */
	uint32_t *pinned;                  /* chunks that a late write may still reach, plus 1 */
	size_t n_pinned, cap_pinned;
	struct shim_late *late; /* slots that were given up and may still be filled */
	size_t n_late, cap_late;
	uint64_t fold_from; /* slots before this one are not added up (fold.c) */
	unsigned
		singles; /* short holds that were handed over one by one, up to a thousand or two */
	struct shim_series series;
	bool in_hole; /* the slot before tail was given up too */
	uint32_t
		unwritten; /* records that a dead thread had begun, with nothing after them so far */
};

struct shim_late {
	uint64_t slot;
	uint32_t chunk;
	bool first; /* of those that lie side by side, which count as one */
};

/* One record as it lies in the ring. */
struct shim_slot {
	uint64_t ts, addr, site;
	unsigned slot, lock, aux; /* enum arena_slot, enum lock_kind, bits ARENA_AUX_ */
	unsigned rec_kind;        /* ARENA_RAW: of events.def or ARENA_KIND_ */
	size_t len;               /* ARENA_RAW: bytes of payload */
	char payload[(ARENA_RECORD_SLOTS - 1) * ARENA_PAYLOAD];
};

/* Says whether a ring has an owner and is ready to be read. */
bool shim_ring_is_taken(const struct shim_arena *a, uint32_t number);
/* Begins to read a ring that has an owner; false: it is not ready. */
bool shim_ring_open(struct shim_arena *a, struct shim_ring *r, uint32_t number);

/* Looks how far the ring has been written; counts what it lacks. */
void shim_ring_look(struct shim_arena *a, struct shim_ring *r);

enum shim_next {
	SHIM_RECORD, /* ret is filled; shim_ring_skip moves past it */
	SHIM_EMPTY,
	SHIM_HOLE, /* reserved and not filled yet */
	SHIM_REST, /* the middle of a record whose begin was given up */
	SHIM_BROKEN
};

/* Copies the record at the ring's tail; ret_slots is how many slots it takes. */
enum shim_next shim_ring_peek(
	struct shim_arena *a, struct shim_ring *r, struct shim_slot *ret, unsigned *ret_slots);

/* Returns the raw time of the record at the tail without the rest of it, and whether that is a series (series.at_tail). */
enum shim_next shim_ring_time(struct shim_arena *a, struct shim_ring *r, uint64_t *ret);

/* Goes on by n slots and gives chunks that are read back. */
void shim_ring_skip(struct shim_arena *a, struct shim_ring *r, unsigned n);

/* Keeps the chunk of a hole from being used by others while its writer may wake up. */
void shim_ring_pin(struct shim_ring *r);

/* Gives the ring and all its chunks back; returns how many records its writer dropped, and adds to vital how many births and ends. */
uint64_t shim_ring_close(struct shim_arena *a, struct shim_ring *r, uint64_t *vital);

/* ---- Chunks that are copied (copied.c) ---- */

/* A ring's tail has come to chunk c: copies it if all of it is ready and it is rather new to this process. */
void shim_chunk_copy(struct shim_arena *a, uint32_t c, bool ready);

/* Returns the slots of chunk c: of its copy, where those have no tag that were not written yet, or of the mapping. */
const uint64_t *shim_chunk_slots(const struct shim_arena *a, uint32_t c);

/* Returns slot n of a ring, which lies in chunk c: of its copy if it was written by then, or of the mapping. */
const uint64_t *shim_chunk_slot(const struct shim_arena *a, uint32_t c, uint64_t n);

/* ---- Memory ahead of those that write (feed.c) ---- */

/* A thread of its own, to the end; a, which is the file fd, must stay mapped until then. NULL: those that write help themselves. */
struct shim_feed *shim_feed_begin(struct shim_arena *a, int fd);
void shim_feed_end(struct shim_feed *f);

/* ---- The file may shrink below the mapping (guard.c) ---- */

/* From now to the end, a SIGBUS in that range makes zeros of what was cut off. For one range at a time. */
void shim_guard_begin(const void *base, uint64_t bytes);
/* Says whether a SIGBUS was caught since shim_guard_begin. */
bool shim_guard_hit(void);
void shim_guard_end(void);

/* ---- PID namespaces (ns.c) ---- */

struct shim_ns {
	uint64_t own;     /* pptrace's own namespace, as its inode */
	struct hash pids; /* pid in another namespace -> pid */
};

/* Finds out pid and tid of a ring; they stay 0 if that is not possible now. */
void shim_ns_resolve(struct shim_ns *ns, struct shim_ring *r);

/* Says whether it has failed for good. */
bool shim_ns_lost(const struct shim_ring *r);

/* Returns a pid of a namespace as our own, 0: not known. */
uint32_t shim_ns_pid(struct shim_ns *ns, uint64_t pidns, uint32_t pid);
void shim_ns_done(struct shim_ns *ns);

/* ---- Records (expand.c) ---- */

struct shim_tasks;
struct shim_expand {
	struct shim_clock *clock;
	struct shim_tasks *tasks; /* NULL: kernel probes report processes */
	struct shim_ns *ns;
	struct hash handles; /* pthread_t of a process -> tid */
	uint64_t malformed;
};

void shim_expand_done(struct shim_expand *x);

/* Turns a slot into a record of events.def and emits it; not before the time floor. */
void shim_expand(struct shim_expand *x, struct shim_ring *r, const struct shim_slot *slot,
	uint64_t floor, source_emit *emit, void *arg);

/* The same for several slots at once. */
void shim_expand_fold(struct shim_expand *x, struct shim_ring *r, const struct shim_fold *f,
	uint64_t floor, source_emit *emit, void *arg);

/* ---- Which processes the model knows (known.c) ---- */

struct shim_known {
	struct authority *authority; /* borrowed: whose /proc may be read; NULL: everybody's */
	struct hash recorded;        /* by pid: those whose begin has been recorded */
	struct hash
		adopted; /* by pid: those that the source itself announced, before the library could */
};

void shim_known_done(struct shim_known *k);

/* Says whether a process is known; notes one; notes one that is known without a record. */
bool shim_knows(const struct shim_known *k, uint64_t pid);
void shim_known_add(struct shim_known *k, uint64_t pid);
void shim_known_adopt(struct shim_known *k, uint64_t pid);

/* Says whether a process was adopted, once: its number may be another's from now on. */
bool shim_known_release(struct shim_known *k, uint64_t pid);

/* ---- What only a recording without kernel probes needs (tasks.c) ---- */

/*
 * Fills in what the library cannot know: who made a process that appears
 * without a record of it (made by the C library itself or by a raw system
 * call), who belongs to a group that is sent a signal, and files that were
 * mapped after the program's start.
 */
struct shim_spawns { /* calls of posix_spawn that may not come back (spawn.c) */
	struct shim_spawn *list;
	size_t len, cap;
};

struct shim_tasks {
	struct shim_known known;
	struct shim_spawns spawns;
	struct hash images; /* by pid and image: what is mapped executable */
};

void shim_tasks_done(struct shim_tasks *t);

/* A thread's ring is given back: with that of the main thread goes what is known of the process's image. */
void shim_tasks_close(struct shim_tasks *t, const struct shim_ring *r);

/* The command, which nobody in the recording made. */
void shim_tasks_root(struct shim_tasks *t, uint32_t pid);

/* Hands rec on, with what has to come before it or stands for it. parent: process that made the ring's one. */
void shim_tasks_emit(struct shim_tasks *t, const struct shim_ring *r, uint64_t parent,
	const struct rec_head *rec, source_emit *emit, void *arg);

/* ---- Children of posix_spawn that are on their way (spawn.c) ---- */

void shim_spawns_done(struct shim_spawns *s);

/* Takes the begin of a call that may wait for a FIFO; false: it is something else. */
struct rec_WAIT_BEGIN;
bool shim_spawn_begins(struct shim_spawns *s, const struct rec_WAIT_BEGIN *w);

/* Takes its end, which goes on to the model if *ret_told; false: it is something else. */
struct rec_WAIT_END;
bool shim_spawn_ends(struct shim_spawns *s, const struct rec_WAIT_END *end, bool *ret_told,
	source_emit *emit, void *arg);

/* Looks for the children that wait, and records them as of time ts. */
void shim_spawns_poll(struct shim_spawns *spawns, struct shim_known *known, uint64_t ts,
	source_emit *emit, void *arg);

/* ---- Equal holds as one record (fold.c) ---- */

/*
 * Looks whether several equal short holds lie at the ring's tail, none of them younger than limit; true: *ret is what they
 * amount to, and shim_ring_skip moves past them.
 */
bool shim_fold(struct shim_drain *d, struct shim_ring *r, uint64_t limit, struct shim_fold *ret);

/* ---- Equal holds that a thread adds up by itself (series.c) ---- */

/*
 * Finds what is to be handed over next of the series at the ring's tail, at r->next. SHIM_EMPTY: nothing, but it may go on;
 * SHIM_REST: it is over; SHIM_HOLE: its thread is changing it, unless it has been for too long (impatient). *floor_raw is lowered
 * to where something older than d->latest may still appear.
 */
enum shim_next shim_series_next(
	struct shim_drain *d, struct shim_ring *r, bool impatient, uint64_t *floor_raw);

/* Hands that over; false: there is no series at the tail. */
bool shim_series_take(struct shim_drain *d, struct shim_ring *r, source_emit *emit, void *arg);

/* Returns how many slots at the ring's tail need not be read again until something happens. */
unsigned shim_series_idle(const struct shim_ring *r);

/* ---- All rings together (drain.c) ---- */

struct shim_drain {
	struct shim_arena arena;
	struct shim_clock clock;
	struct shim_expand expand;
	struct shim_tasks tasks;
	struct shim_ring *rings; /* one for each in the arena */
	uint32_t *open;          /* the numbers of those that are read */
	size_t n_open;
	uint32_t n_touched; /* none from here on was ever open */
	uint64_t taken;     /* as in the arena's head, when new ones were sought last ... */
	uint64_t sought_at; /* ... and when that was, mono; 0: never */
	uint32_t *heap;     /* rings with a record to hand over, oldest first */
	size_t n_heap;
	struct shim_ns ns;
	uint64_t latest; /* raw: when the drain began */
	uint64_t until;  /* mono: handed over so far */
	uint64_t lost_dropped, lost_vital, lost_holes, lost_unidentified;
	uint64_t waiting; /* slots, when the drain began */
	bool keep_all;    /* each hold is handed over by itself */
	size_t at_once;   /* slots that one poll hands over at most */
};

/* Holds that are added up are shorter than this, raw. */
static inline uint64_t shim_short_raw(const struct shim_drain *d)
{
	return d->clock.tsc ? ARENA_SHORT_TSC : ARENA_SHORT_NS;
}

/* Prepares for an arena that is laid out and mapped, with the clock chosen. memory: bytes that may be had. */
void shim_drain_init(struct shim_drain *d, bool everything, uint64_t memory);
void shim_drain_done(struct shim_drain *d);

/* Tells the programs that whoever waits for room will get it. */
void shim_drain_beat(struct shim_drain *d);

/* Hands over what is there, moves until, and gives back what dead threads left. True: there is more. */
bool shim_drain_poll(struct shim_drain *d, source_emit *emit, void *arg);

/* Returns how many records were of processes of other PID namespaces that had gone before their numbers were known. */
uint64_t shim_drain_unidentified(const struct shim_drain *d);

/* ---- Which rings are in use (open.c) ---- */

/* One of those, i below n_open. */
static inline struct shim_ring *shim_open_ring(const struct shim_drain *d, size_t i)
{
	return &d->rings[d->open[i]];
}

/* Finds those that were taken since; now is mono. */
void shim_open_seek(struct shim_drain *d, uint64_t now);

/* Gives back what dead threads had when it has been read. */
void shim_open_retire(struct shim_drain *d, uint64_t now);

/* Returns how many records were begun and never ended, though their threads went on. */
uint64_t shim_drain_interrupted(const struct shim_drain *d);

/* Returns how many records found no room so far; the second one: that are births and ends, or may be. */
uint64_t shim_drain_dropped(const struct shim_drain *d);
uint64_t shim_drain_dropped_vital(const struct shim_drain *d);

/* ---- How a process ended (exit_status.c) ---- */

/* Reads the status of a process that is a zombie, or that pidfd was opened of while it lived; false: it is not known. */
bool exit_status_of(pid_t pid, int pidfd, int *ret);

#endif
