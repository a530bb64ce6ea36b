/* chunk.c - pieces of the arena are taken, and waited for. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/chunk.h"

#include <sys/mman.h>
#include <time.h>

#include "probes/shim/arena.h"
#include "probes/shim/options.h"
#include "probes/shim/sys.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define WAIT_MAX_NS 1000000000ull /* the longest that a full arena holds up the program */
#define BEAT_MAX_NS                                                                                \
	300000000ull /* a tracer that has taken nothing for so long is stopped or dead */
#define WAIT_STEP_NS 200000

static bool gave_up; /* waited for nothing; do not wait again until there has been room */
static uint8_t populated[(1u << 18) / 8];

struct arena_chunk *chunk_row(uint32_t i)
{
	return arena_at.chunks + i;
}

uint64_t *chunk_data(uint32_t i)
{
	return (uint64_t *)(arena_at.data + (uint64_t)i * ARENA_CHUNK_BYTES);
}

/*
 * Maps the chunk, if this process has not done so before, and allocates its
 * space if nobody has. What is there already is mapped many pages at a time if
 * it is asked for as for reading (fault-around: mm/memory.c), and may be
 * written all the same: shared memory keeps no count of its dirty pages.
 */
static bool chunk_populate(uint32_t i)
{
	int how = __atomic_load_n(&chunk_row(i)->space, __ATOMIC_RELAXED) ? MADV_POPULATE_READ
									  : MADV_POPULATE_WRITE;
	uint8_t bit = (uint8_t)(1u << (i % 8));
	long rc;

	if (__atomic_load_n(&populated[i / 8], __ATOMIC_RELAXED) & bit)
		return true;
	rc = sys3(SYS_madvise, chunk_data(i), ARENA_CHUNK_BYTES, how);
	/* Kernels before 5.14 cannot be asked for pages: they come as they are touched. */
	if (rc == -EINVAL &&
		(how == MADV_POPULATE_READ || arena_allocate(chunk_data(i), ARENA_CHUNK_BYTES)))
		rc = 0;
	/* Below a filter its pages are mapped as they are touched, if their space is there. */
	if (rc < 0 && !(shim_options.sandboxed && how == MADV_POPULATE_READ))
		return false;
	__atomic_fetch_or(&populated[i / 8], bit, __ATOMIC_RELAXED);
	__atomic_store_n(&chunk_row(i)->space, 1, __ATOMIC_RELAXED);
	return true;
}

/* Takes a free chunk for a ring; returns its number plus 1, or 0. The last few are kept for rings that have none. */
static uint32_t chunk_take(uint32_t ring, bool first)
{
	uint32_t n = arena_usable,
		 hint = __atomic_load_n(&shim_arena->chunk_hint, __ATOMIC_ACQUIRE);
	uint32_t spare = n / 16 < 64 ? n / 16 : 64;

	if (hint == UINT32_MAX && !first)
		return 0;
	if (hint == UINT32_MAX)
		hint = n - spare;
	for (uint32_t k = 0; k < n; k++) {
		uint32_t i = (hint + k) % n, none = 0;
		struct arena_chunk *c = chunk_row(i);

		if ((!first && i >= n - spare) || __atomic_load_n(&c->owner, __ATOMIC_RELAXED) ||
			!__atomic_compare_exchange_n(&c->owner, &none, ring + 1, false,
				__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			continue;
		/* Most processes need a page or two of their first chunk: these are mapped when they are touched. */
		if (!(first && __atomic_load_n(&c->space, __ATOMIC_RELAXED)) &&
			!chunk_populate(i)) {
			__atomic_store_n(&c->owner, 0, __ATOMIC_RELEASE);
			return 0;
		}
		__atomic_store_n(&c->next, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&shim_arena->chunk_hint, i + 1, __ATOMIC_RELEASE);
		return i + 1;
	}
	if (!first)
		__atomic_store_n(&shim_arena->chunk_hint, UINT32_MAX, __ATOMIC_RELEASE);
	return 0;
}

static void pause_ns(long ns)
{
	struct timespec ts = {0, ns};

	sys4(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &ts, NULL);
}

/* Says whether the tracer was at work just now: one that is stopped, or dead, makes no room. */
static bool is_served(uint64_t now)
{
	return !__atomic_load_n(&shim_arena->closed, __ATOMIC_RELAXED) &&
	       now < __atomic_load_n(&shim_arena->heartbeat, __ATOMIC_RELAXED) + BEAT_MAX_NS;
}

uint32_t chunk_get(uint32_t ring, bool first)
{
	uint32_t c = chunk_take(ring, first);
	uint64_t start, now;

	if (c) {
		gave_up = false;
		return c;
	}
	if (gave_up || (shim_arena->flags & ARENA_FLAG_DROP))
		return 0;
	if (sys_filtered && sys_forbids(SYS_clock_nanosleep))
		return 0;
	for (start = now = arena_monotonic(); is_served(now) && now - start < WAIT_MAX_NS;
		now = arena_monotonic()) {
		pause_ns(WAIT_STEP_NS);
		c = chunk_take(ring, first);
		if (c)
			return c;
	}
	/* A tracer that was stopped may be continued: then there is room, which ends this. */
	gave_up = now - start >= WAIT_MAX_NS;
	return 0;
}
