/* stat.c - sums over the life of a lock, and over buckets of time. */
/* SPDX-License-Identifier: MIT */
/*
 * A thread's lane has at most MAX_BUCKETS buckets, and all lanes together have not many more than MAX_OF_ALL, as long as that leaves
 * MIN_BUCKETS to each: when the trace outgrows them, all buckets become twice as wide, here and in the database.
 */
#include "tracer/model/private.h"

#include "base/mem.h"

enum {
	MAX_BUCKETS = 1024,
	MIN_BUCKETS = 64,
	MAX_OF_ALL = 65536,
};

void model_stat_write(struct model *m, struct lock *lock)
{
	const struct lock_stat *s = &lock->stat;
	struct row_lock_stat row = {.lock_id = lock->id,
		.holds = s->holds,
		.contended = s->contended,
		.wait_ns = s->wait_ns,
		.max_wait_ns = s->max_wait_ns,
		.hold_ns = s->hold_ns,
		.max_hold_ns = s->max_hold_ns,
		.max_hold_site_id = s->max_hold_site,
		.threads = s->threads,
		.posts = s->posts,
		.foreign_posts = s->foreign_posts,
		.takes = s->takes,
		.cycles = s->cycles,
		.last_taker_id = s->last_taker,
		.value = s->value};

	store_write(m->store, STORE_LOCK_STAT, &row, &lock->stat_written);
	lock->stat_dirty = false;
}

/* Puts neighbours together after the numbers were halved. */
static void merge_buckets(struct lane *lane)
{
	size_t n = 0;

	for (size_t i = 0; i < lane->n; i++) {
		struct bucket b = lane->buckets[i];

		b.number >>= 1;
		b.dirty = true;
		if (n && lane->buckets[n - 1].number == b.number) {
			lane->buckets[n - 1].hold_ns += b.hold_ns;
			lane->buckets[n - 1].wait_ns += b.wait_ns;
			lane->buckets[n - 1].holds += b.holds;
		} else {
			lane->buckets[n++] = b;
		}
	}
	lane->n = n;
}

/* Says whether buckets must become wider. */
static bool is_outgrown(const struct model *m)
{
	int64_t newest = m->now >> m->lane_shift;

	return newest >= MAX_BUCKETS ||
	       (m->n_buckets > MAX_OF_ALL && m->n_buckets > m->enough_buckets &&
		       newest >= MIN_BUCKETS);
}

/* Makes all buckets twice as wide until the newest time has one, and they are few enough. */
static void widen(struct model *m)
{
	while (is_outgrown(m)) {
		m->lane_shift++;
		m->n_buckets = m->n_ended_buckets;
		for (struct thread *t = m->all_threads; t; t = t->next) {
			merge_buckets(&t->lane);
			m->n_buckets += t->lane.n;
		}
		/* How many those of ended threads became is not counted: there are no more of them than before. */
		m->enough_buckets = 2 * m->n_ended_buckets;
		if (!m->has_lanes)
			continue;
		(void)store_exec(m->store,
			"CREATE TEMP TABLE wide AS SELECT thread_id, bucket / 2 AS b, sum(hold_ns) AS h,"
			" sum(wait_ns) AS w, sum(holds) AS n FROM lane GROUP BY 1, 2;"
			"DELETE FROM lane; INSERT INTO lane SELECT thread_id, b, h, w, n FROM wide;"
			"DROP TABLE wide");
	}
}

/* Returns the bucket with this number, made if it is not there. */
static struct bucket *bucket_at(struct model *m, struct lane *lane, int64_t number)
{
	size_t at = lane->n;
	struct bucket *b;

	while (at && lane->buckets[at - 1].number > number)
		at--;
	if (at && lane->buckets[at - 1].number == number) {
		b = &lane->buckets[at - 1];
		b->dirty = true;
		return b;
	}
	ARRAY_GROW(lane->buckets, lane->n, lane->cap);
	b = &lane->buckets[at];
	memmove(b + 1, b, (lane->n - at) * sizeof *b);
	lane->n++;
	m->n_buckets++;
	*b = (struct bucket){.number = number, .dirty = true};
	return b;
}

enum what { HOLD, WAIT };

/* Adds an interval to the buckets that it covers. */
static void add(struct model *m, struct thread *t, int64_t start, int64_t end, enum what what)
{
	int64_t first, last;

	widen(m);
	if (start < 0)
		start = 0;
	if (end > m->now)
		end = m->now;
	if (end <= start)
		return;
	first = start >> m->lane_shift;
	last = end >> m->lane_shift;
	for (int64_t number = first; number <= last; number++) {
		struct bucket *b = bucket_at(m, &t->lane, number);
		int64_t from = number == first ? start : number << m->lane_shift;
		int64_t to = number == last ? end : (number + 1) << m->lane_shift;

		*(what == HOLD ? &b->hold_ns : &b->wait_ns) += to - from;
	}
}

void model_lane_hold(struct model *m, struct thread *t, int64_t end)
{
	if (t->lane.hold_start == STORE_NULL)
		return;
	add(m, t, t->lane.hold_start, end, HOLD);
	t->lane.hold_start = STORE_NULL;
}

void model_lane_wait(struct model *m, struct thread *t, int64_t start, int64_t end)
{
	add(m, t, start, end, WAIT);
}

void model_lane_held(struct model *m, struct thread *t, int64_t start, int64_t end)
{
	add(m, t, start, end, HOLD);
}

void model_lane_took(struct model *m, struct thread *t, int64_t ts, int64_t times)
{
	widen(m);
	if (ts >= 0 && ts <= m->now)
		bucket_at(m, &t->lane, ts >> m->lane_shift)->holds += times;
}

void model_lane_flush(struct model *m, struct thread *t)
{
	/* What is still held counts up to now. */
	if (t->lane.hold_start != STORE_NULL && m->now > t->lane.hold_start) {
		add(m, t, t->lane.hold_start, m->now, HOLD);
		t->lane.hold_start = m->now;
	}
	for (size_t i = 0; i < t->lane.n; i++) {
		struct bucket *b = &t->lane.buckets[i];

		if (!b->dirty)
			continue;
		store_replace(m->store, STORE_LANE,
			&(struct row_lane){t->id, b->number, b->hold_ns, b->wait_ns, b->holds});
		b->dirty = false;
		m->has_lanes = true;
	}
}

void model_lane_free(struct model *m, struct thread *t)
{
	m->n_ended_buckets += t->lane.n;
	free(t->lane.buckets);
}

/* Says whether a thread is the only one that was blocked on its lock in all of its wait. */
static bool waited_alone(const struct model *m, const struct thread *t)
{
	const struct lock *lock = t->wait.lock;

	if (lock->waited_ns >= t->wait.start)
		return false;
	for (const struct thread *o = lock->proc ? t->proc->threads : m->all_threads; o;
		o = lock->proc ? o->peer : o->next)
		if (o != t && o->wait.open && o->wait.lock == lock)
			return false;
	return true;
}

void model_stat_foreign(struct model *m, struct thread *t, const struct thread *waker, int64_t ts)
{
	struct wait *w = &t->wait;

	if (!w->open || w->reason != WAIT_LOCK || !w->lock || w->library)
		return;
	if (waker && w->owner_inferred && w->target_thread != STORE_NULL &&
		w->target_thread != waker->id && waker != t && waited_alone(m, t)) {
		w->lock->stat.foreign_posts++;
		model_stat_touch(m, w->lock);
	}
	w->lock->waited_ns = ts;
}

void model_stat_wait(
	struct model *m, struct thread *t, struct lock *lock, int64_t start, int64_t end)
{
	lock->stat.contended++;
	lock->stat.wait_ns += end - start;
	if (end - start > lock->stat.max_wait_ns)
		lock->stat.max_wait_ns = end - start;
	model_stat_touch(m, lock);
	model_lane_wait(m, t, start, end);
}

void model_stat_waited(
	struct model *m, struct thread *t, struct lock *lock, int64_t start, int64_t end)
{
	t->waited = lock->id;
	/* Where no acquisitions are recorded the waits alone are counted. */
	if (t->proc->lock_source <= LOCKS_FUTEX && !lock->stat.holds)
		model_stat_wait(m, t, lock, start, end);
}
