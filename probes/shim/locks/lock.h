/* lock.h - what all locks record: asked for, got, refused, released. */
/* SPDX-License-Identifier: MIT */
/*
 * Wrapped in every mode. To be read in this order: lock.c (what all locks record), series.c (equal holds), mutex.c, rwlock.c, sync.c (calls that wait),
 * cond.c, sem.c, barrier.c, c11.c (the same by the names of <threads.h>), thread.c.
 */
#ifndef PROBES_SHIM_LOCKS_LOCK_H
#define PROBES_SHIM_LOCKS_LOCK_H

#include <errno.h>

#include "probes/shim/locks/series.h"
#include "probes/shim/shim.h"
#include "probes/shim/stack.h"

/* A lock call failed otherwise than with EBUSY, or got a lock whose owner died. */
void lock_result(
	const volatile void *addr, unsigned kind, unsigned aux, int rc, uint64_t site, uint64_t ts);

/* The wait itself, where no kernel probe sees it. */
void lock_wait_begin(const volatile void *addr, unsigned reason, bool timed, uint64_t site);
void lock_wait_end(void);

/* Is about to wait. aux: the bits ARENA_AUX_. */
static inline void lock_request(
	const volatile void *addr, unsigned kind, unsigned aux, uint64_t site)
{
	struct ring_entry e;

	object_want(ADDR(addr));
	e = ring_begin();
	if (e.slot)
		ring_end(
			e, shim_now_early(), ADDR(addr), RING_KIND(ARENA_REQUEST, kind, aux), site);
	if (shim_everything())
		lock_wait_begin(addr, WAIT_LOCK, aux & ARENA_AUX_TIMED, site);
}

/* A call returned without having waited. shared: other processes may have the lock too. */
static inline void lock_acquire(
	const volatile void *addr, unsigned kind, unsigned aux, bool shared, int rc, uint64_t site)
{
	uint64_t what = series_what(addr, kind, aux);

	if (likely(rc == 0 && !shared && shim_has_tls()) &&
		(series_take(what, site) ||
			(unlikely(series_is_due(what, site)) && series_begin(what, site))))
		return;
	if (rc == 0 && stack_is_wanted(site))
		stack_record(site);
	if (likely(rc == 0 || rc == EBUSY)) {
		struct ring_entry e = ring_begin();

		if (e.slot)
			ring_end(e, shim_now(), ADDR(addr),
				RING_KIND(rc == 0 ? ARENA_ACQUIRE : ARENA_BUSY, kind, aux), site);
	} else {
		lock_result(addr, kind, aux, rc, site, 0);
	}
}

/* A call returned after lock_request. */
static inline void lock_acquired(
	const volatile void *addr, unsigned kind, unsigned aux, int rc, uint64_t site)
{
	if (shim_everything())
		lock_wait_end();
	if (rc == 0 && stack_is_wanted(site))
		stack_record(site);
	if (likely(rc == 0)) {
		struct ring_entry e = ring_begin();

		if (e.slot)
			ring_end(e, shim_now(), ADDR(addr), RING_KIND(ARENA_ACQUIRED, kind, aux),
				site);
	} else {
		lock_result(addr, kind, aux, rc, site, 0);
	}
}

/*
 * An unlock call returned; the slot was reserved and the time taken before it
 * was made. Nothing of the lock may be touched any more.
 */
static inline void lock_release(struct ring_entry e, uint64_t ts, const volatile void *addr,
	unsigned kind, int rc, uint64_t site)
{
	if (likely(rc == 0))
		ring_end(e, ts, ADDR(addr), RING_KIND(ARENA_RELEASE, kind, 0), site);
	else
		ring_end(e, ts, ADDR(addr), RING_KIND(ARENA_REFUSED, kind, rc & 255), site);
}

/* Makes an unlock call, whose result is rc, and records it. error: what rc is as a number of errno. */
#define LOCK_UNLOCK(addr, kind, rc, call, error)                                                   \
	do {                                                                                       \
		uint64_t ts = series_give(addr, kind, SITE);                                       \
		struct ring_entry e;                                                               \
                                                                                                   \
		if (ts) {                                                                          \
			(rc) = (call);                                                             \
			series_given(ts, (error) == 0);                                            \
			if (likely((error) == 0))                                                  \
				break;                                                             \
			e = ring_begin();                                                          \
		} else {                                                                           \
			e = ring_begin();                                                          \
			ts = e.slot ? shim_now_early() : 0;                                        \
			(rc) = (call);                                                             \
		}                                                                                  \
		lock_release(e, ts, addr, kind, error, SITE);                                      \
	} while (0)

#endif
