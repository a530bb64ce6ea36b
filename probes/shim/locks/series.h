/* series.h - equal holds of one lock are added up by the thread itself. */
/* SPDX-License-Identifier: MIT */
/*
 * A loop around a lock that nobody else wants would fill rings with pairs of slots that differ in their times alone, and
 * the tracer, which has to read them all, takes as long for it as the loop. After LEAST such pairs the thread keeps one
 * record, ARENA_SERIES (schema/arena.h), and changes that, as long as
 *	- it records nothing else: the record is the last one of its ring;
 *	- nobody begins to wait for the lock, makes it anew or destroys it: what happened before that and after it is told apart;
 *	- each hold is short. One that is not is in the record as begun, and its release follows: so whoever looks sees who has it.
 * Not for locks that other processes may have: what those want is not known here.
 */
#ifndef PROBES_SHIM_LOCKS_SERIES_H
#define PROBES_SHIM_LOCKS_SERIES_H

#include "probes/shim/shim.h"

enum {
	SERIES_LEAST = 16, /* equal pairs before a series */
	SERIES_SINGLES =
		1000, /* acquisitions of a thread that are recorded one by one in any case */
	SERIES_COUNT_MAX = 1000 * 1000
};

/* In the arena's clock, where a counter runs at 1 to 5 GHz: 7 to 33 us, 13 to 67 ms. The reader knows the first (tracer/shim/series.c). */
#define SERIES_SHORT (shim_tsc ? ARENA_SHORT_TSC : ARENA_SHORT_NS)
#define SERIES_SPAN (shim_tsc ? 1ull << 26 : 50000000ull)

/* Begins a series with an acquisition, which it records; false: nothing was done. */
bool series_begin(uint64_t what, uint64_t site);

/* A release in a series at another place than before: false unless it is the first. */
bool series_release_at(struct ring_series *s, uint64_t site);

static inline uint64_t series_what(const volatile void *addr, unsigned kind, unsigned aux)
{
	return (ADDR(addr) & ARENA_ADDR_MASK) | (uint64_t)RING_KIND(ARENA_SERIES, kind, aux) << 48;
}

/*
 * A signal handler may interrupt anything here and use locks itself: so what is asked before a change begins is asked again
 * after that, when a handler leaves the series alone.
 */
static inline bool series_change(struct ring_local *t)
{
	uint64_t *busy = &t->ring->series_busy;

	if (unlikely(*busy))
		return false;
	__atomic_store_n(busy, 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_ACQ_REL);
	return true;
}

static inline void series_changed(struct ring_local *t)
{
	__atomic_store_n(&t->ring->series_busy, 0, __ATOMIC_RELEASE);
}

static inline bool series_goes_on(const struct ring_local *t)
{
	const struct ring_series *s = &t->series;

	return s->slots && *t->head == s->next &&
	       __atomic_load_n(s->wanted, __ATOMIC_RELAXED) == s->was_wanted;
}

/* Adds an acquisition that was made at once; false: it is to be recorded by itself. */
static inline bool series_take(uint64_t what, uint64_t site)
{
	struct ring_local *t = &ring_local;
	struct ring_series *s = &t->series;
	bool ok = false;

	if (s->what != what || s->site != site || !s->slots || t->epoch != *shim_epoch ||
		!series_change(t))
		return false;
	if (likely(s->what == what && s->site == site && !s->since && series_goes_on(t))) {
		uint64_t ts = shim_now();

		ok = ts - s->first < SERIES_SPAN && s->count < SERIES_COUNT_MAX;
		if (likely(ok)) {
			s->since = ts;
			__atomic_store_n(&s->slots[7], ts, __ATOMIC_RELAXED);
		}
	}
	series_changed(t);
	return ok;
}

/*
 * Begins to add the release of what series_take or series_begin acquired, before it is made: returns its time. Until
 * series_given nobody sees the lock as free, nor what another thread does with it. 0: it is to be recorded by itself.
 */
static inline uint64_t series_give(const volatile void *addr, unsigned kind, uint64_t site)
{
	const uint64_t object = ARENA_ADDR_MASK | 15ull << 48;
	struct ring_local *t = &ring_local;
	struct ring_series *s = &t->series;
	uint64_t what = series_what(addr, kind, 0);

	if (unlikely(!shim_has_tls()) || ((s->what ^ what) & object) || !s->since || !s->slots ||
		t->epoch != *shim_epoch || !series_change(t))
		return 0;
	if (likely(!((s->what ^ what) & object) && s->since && series_goes_on(t) &&
		    (s->give_site == site || series_release_at(s, site)))) {
		uint64_t ts = shim_now_early();

		if (likely(ts - s->since < SERIES_SHORT))
			return ts;
	}
	series_changed(t);
	return 0;
}

/* The release was made at that time; ok false: it was refused. Nothing of the lock may be touched any more. */
static inline void series_given(uint64_t ts, bool ok)
{
	struct ring_local *t = &ring_local;
	struct ring_series *s = &t->series;
	uint64_t held = ts - s->since;

	if (likely(ok)) {
		s->held += held;
		if (held > s->longest)
			s->longest = held;
		__atomic_store_n(&s->slots[3], ++s->count | s->longest << 32, __ATOMIC_RELAXED);
		__atomic_store_n(&s->slots[4], s->held, __ATOMIC_RELAXED);
		__atomic_store_n(&s->slots[6], ts, __ATOMIC_RELAXED);
		__atomic_store_n(&s->slots[7], 0, __ATOMIC_RELAXED);
		s->since = 0;
	}
	series_changed(t);
}

/* Says whether an acquisition that is not in a series is the begin of one, and notes it. */
static inline bool series_is_due(uint64_t what, uint64_t site)
{
	struct ring_local *t = &ring_local;
	struct ring_series *s = &t->series;
	uint64_t head;

	if (t->epoch != *shim_epoch || t->ring->series_busy)
		return false;
	head = *t->head;
	/* Its release is all that was recorded since, and a series was worth its while. */
	if (s->what == what && s->site == site && head - s->next <= 1 &&
		(!s->slots || s->count >= SERIES_LEAST))
		s->alike++;
	else
		s->alike = 0;
	s->what = what;
	s->site = site;
	s->slots = NULL;
	s->next = head + 1;
	if (s->singles < SERIES_SINGLES) {
		s->singles++;
		return false;
	}
	return s->alike >= SERIES_LEAST;
}

#endif
