/* ring.c - each thread's ring in the arena: taken, and given room. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/ring.h"

#include <signal.h>
#include <string.h>
#include <sys/auxv.h>

#include "probes/shim/arena.h"
#include "probes/shim/chunk.h"
#include "probes/shim/options.h"
#include "probes/shim/sys.h"
#include "probes/shim/task.h"

/*
 * The hot path is in shim.h. What is here runs once for each chunk of 2048
 * slots, with all signals blocked, and makes no call that could allocate,
 * lock or change errno.
 */
enum { SKIP_RECORDS = 127 };

/* Not 0: that is what a child's wiped epoch looks like. */
__thread struct ring_local ring_local = {.epoch = NO_EPOCH};

static uint64_t last_epoch = 1;
static uint32_t last_pid;

static struct arena_ring *ring_claim(uint64_t owner)
{
	struct arena_ring *rings = arena_at.rings;
	uint32_t n = arena_at.n_rings,
		 hint = __atomic_load_n(&shim_arena->ring_hint, __ATOMIC_RELAXED);

	for (uint32_t k = 0; k < n; k++) {
		struct arena_ring *r = &rings[(hint + k) % n];
		uint64_t none = 0;

		if (!__atomic_load_n(&r->owner, __ATOMIC_RELAXED) &&
			__atomic_compare_exchange_n(&r->owner, &none, owner, false,
				__ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
			__atomic_store_n(&shim_arena->ring_hint, (uint32_t)(r - rings) + 1,
				__ATOMIC_RELAXED);
			return r;
		}
	}
	return NULL;
}

static uint32_t ring_number(const struct arena_ring *r)
{
	return (uint32_t)(r - arena_at.rings);
}

/* Adds a chunk behind the ring's last one. */
static bool ring_grow(struct ring_local *t, bool first)
{
	uint32_t c = chunk_get(ring_number(t->ring), first);
	unsigned place = (unsigned)(t->limit / ARENA_CHUNK_SLOTS) % RING_CHUNKS;

	if (!c)
		return false;
	t->chunk[place].data = chunk_data(c - 1);
	t->chunk[place].tag =
		((uint64_t)(__atomic_load_n(&chunk_row(c - 1)->gen, __ATOMIC_ACQUIRE) & 0x7fff) |
			ARENA_TAG_HEAD)
		<< 48;
	__atomic_store_n(
		first ? &t->ring->first : &chunk_row(t->last_chunk - 1)->next, c, __ATOMIC_RELEASE);
	t->last_chunk = c;
	t->limit += ARENA_CHUNK_SLOTS;
	return true;
}

static uint64_t image_number(void)
{
	const void *random = (const void *)getauxval(AT_RANDOM);
	uint64_t n = 0;

	if (random)
		memcpy(&n, random, sizeof n);
	return n;
}

/* Takes a ring for this thread; the first one in a process also makes its epoch. */
static bool ring_take(struct ring_local *t)
{
	struct shim_wiped *w = shim_wiped();
	uint32_t pid = shim_pid(), tid = shim_tid();
	uint64_t none = 0, mine = __atomic_add_fetch(&last_epoch, 1, __ATOMIC_RELAXED);
	struct arena_ring *r = pid && tid ? ring_claim((uint64_t)pid << 32 | tid) : NULL;
	long parent;

	if (!r)
		return false;
	if (!w->pid)
		w->pid = pid;
	__atomic_compare_exchange_n(
		&w->epoch, &none, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	__atomic_store_n(&shim_epoch, &w->epoch, __ATOMIC_RELEASE);
	/* A look at a file's attributes opens nothing, and what a filter may punish is not called. */
	if (!w->pidns)
		w->pidns = task_pidns();
	t->ring = r;
	t->head = &r->head;
	t->limit = 0;
	t->last_chunk = 0;
	r->image = image_number();
	r->pidns = w->pidns;
	parent = sys0(SYS_getppid);
	/* Where it may not be asked for: fork has copied the number that the parent left here. */
	r->parent = parent > 0 ? (uint64_t)parent : last_pid != pid ? last_pid : 0;
	last_pid = pid;
	r->outer = task_outer(w->pidns);
	r->dropped = r->dropped_vital = 0;
	r->head = 0;
	r->series_busy = 0;
	t->series = (struct ring_series){0};
	r->first = 0;
	r->born = shim_now();
	if (!ring_grow(t, true)) {
		__atomic_store_n(&r->owner, 0, __ATOMIC_RELEASE);
		return false;
	}
	__atomic_store_n(&r->state, ARENA_RING_LIVE, __ATOMIC_RELEASE);
	__atomic_fetch_add(&shim_arena->taken, 1, __ATOMIC_RELEASE);
	t->epoch = w->epoch;
	return true;
}

/* Counts a record that finds no room; false. What is vital may still find some: true. */
static bool count_lost(struct ring_local *t)
{
	if (t->epoch == *shim_epoch) {
		if (t->vital && *t->head + RING_NESTED < t->limit)
			return true;
		__atomic_fetch_add(t->vital ? &t->ring->dropped_vital : &t->ring->dropped, 1,
			__ATOMIC_RELAXED);
	} else if (shim_arena)
		__atomic_fetch_add(&shim_arena->no_ring, 1, __ATOMIC_RELAXED);
	return false;
}

static bool ring_ready(struct ring_local *t)
{
	if (t->epoch != *shim_epoch && !ring_take(t))
		return false;
	/* The margin stays for those that checked before and have not reserved yet. */
	while (*t->head + RING_MARGIN >= t->limit)
		if (!ring_grow(t, false))
			return false;
	return true;
}

/* Signals are blocked, so that no handler sees a ring half made. */
__attribute__((noinline, cold)) bool ring_make_room(void)
{
	struct ring_local *t = &ring_local;
	uint64_t all = ~0ull, old;
	bool ok, blocked;

	if (!shim_has_tls())
		return false;
	if (!shim_options.ready)
		shim_options_read();
	if (t->quiet || (!shim_options.arena[0] && !arena_usable))
		return false;
	/* Where there was no room a moment ago there is none yet: dropping must be cheap. Births and ends are rare, and a child's first record is one. */
	if (t->skip && !t->vital) {
		t->skip--;
		return count_lost(t);
	}
	blocked = sys4(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, 8) == 0;
	if (!blocked && t->busy)
		return count_lost(t);
	t->busy = true;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	ok = shim_active();
	if (ok && __atomic_load_n(&shim_arena->closed, __ATOMIC_RELAXED)) {
		arena_stop();
		ok = false;
	}
	ok = ok && ring_ready(t);
	if (!ok) {
		t->skip = SKIP_RECORDS;
		ok = count_lost(t);
	}
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	t->busy = false;
	if (blocked)
		sys4(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, 8);
	return ok;
}
