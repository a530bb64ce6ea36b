/* repeat.c - waits with a time-out that a thread begins again each time. */
/* SPDX-License-Identifier: MIT */
/*
 * Who tries for a second at a time to get a lock, and does nothing else between, waits for it as long as that goes
 * on: one row, from the first try. Where the thread has done something meanwhile (taken or given back a lock, read
 * or written a pipe, waited for something else) the next wait is a new one.
 */
#include "tracer/model/private.h"

#include "schema/waits.h"

/* Between two tries: that much, or a part of what a try lasts; on a busy machine it may have to wait for a processor. */
static const int64_t least_gap_ns = 5000000, most_gap_ns = 50000000, part = 4;

enum { REPEATS = 2 };

/* What the thread keeps while it waits. */
static uint64_t held_key(const struct thread *t)
{
	uint64_t key = t->n_held;

	for (size_t i = 0; i < t->n_held && i < MAX_NESTING; i++)
		key = hash_mix(key, (uint64_t)t->held[i].lock->id, (uint64_t)t->held[i].acquire);
	return key;
}

/* What is waited for, and what is kept meanwhile; 0: it does not end by itself, or nothing is known of it. */
static uint64_t key_of(const struct thread *t)
{
	const struct wait *w = &t->wait;
	uint64_t what;

	if (!w->timed)
		return 0;
	if (w->reason == WAIT_POLL && w->n_items)
		what = hash_bytes(w->items, w->n_items * sizeof *w->items);
	else if (w->reason == WAIT_JOIN && w->target_thread != STORE_NULL)
		what = (uint64_t)w->target_thread;
	else if (w->lock && wait_info((unsigned)w->reason)->is_handed_over)
		what = (uint64_t)w->lock->id;
	else
		return 0;
	return hash_mix(what, (uint64_t)w->reason, hash_mix(held_key(t), (uint64_t)w->site, w->ip));
}

void model_wait_repeat(struct thread *t)
{
	const struct series *s = &t->series;
	struct wait *w = &t->wait;
	int64_t gap = w->start - s->end, limit = (s->end - s->begun) / part;

	w->key = key_of(t);
	limit = limit < least_gap_ns ? least_gap_ns : limit > most_gap_ns ? most_gap_ns : limit;
	if (w->row || !w->key || !s->row || w->key != s->key || gap > limit)
		return;
	w->row = s->row;
	w->start = s->start;
	w->rounds = s->rounds + 1;
	w->dirty = true;
}

bool model_wait_repeats(const struct wait *w)
{
	return w->rounds >= REPEATS;
}

void model_series_note(struct thread *t, int64_t ts, bool was_woken)
{
	const struct wait *w = &t->wait;

	t->series.row = 0;
	if (w->key && w->row && !was_woken)
		t->series = (struct series){.row = w->row,
			.start = w->start,
			.begun = w->begun,
			.end = ts,
			.key = w->key,
			.lock = w->lock ? w->lock->id : 0,
			.rounds = w->rounds};
}

void model_series_end(struct thread *t, const struct lock *lock)
{
	if (!lock || t->series.lock == lock->id)
		t->series.row = 0;
}
