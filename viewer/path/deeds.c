/* deeds.c - who could have ended a wait, where the recording names no waker. */
/* SPDX-License-Identifier: MIT */
/*
 * The kernel tells who woke a thread; the preloaded library does not see it. There the last one who did on the same
 * object what ends such a wait, before the wait ended, is taken for it: who wrote, read, unlocked, signalled or was reaped.
 */
#include "viewer/path/private.h"

#include <sqlite3.h>

#include "base/mem.h"
#include "viewer/load/load.h"

/* More holds than that are not sorted for a picture. */
#define HOLDS_MAX "3000000"

static uint64_t deed_key(enum deed_kind kind, int64_t object)
{
	return (uint64_t)object << 3 | (uint64_t)kind;
}

static void add(
	struct path_deeds *d, enum deed_kind kind, int64_t object, int64_t ts, size_t thread)
{
	if (thread == NONE || ts == TIME_NEVER)
		return;
	ARRAY_GROW(d->list, d->n, d->cap);
	d->list[d->n++] = (struct deed){deed_key(kind, object), ts, (uint32_t)thread};
}

/* sql: object, time, thread, and whether it is the first kind or the second. */
static void load(struct path_deeds *d, const struct trace *t, sqlite3 *db, const char *sql,
	enum deed_kind first, enum deed_kind second)
{
	struct rows r;

	if (d->why)
		return;
	r = rows_begin(db, sql);
	while (rows_next(&r))
		add(d, rows_int(&r, 3, 0) ? first : second, rows_int(&r, 0, 0),
			rows_time(&r, 1, TIME_NEVER), trace_thread(t, rows_int(&r, 2, -1)));
	d->why = rows_end(&r);
}

static int by_key(const void *a, const void *b)
{
	const struct deed *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	return x->thread < y->thread ? -1 : x->thread > y->thread;
}

static void load_all(struct path_deeds *d, const struct trace *t, sqlite3 *db)
{
	d->is_loaded = true;
	load(d, t, db,
		"SELECT pipe_id, start_ns, thread_id, op = 'write' FROM pipe_io WHERE bytes > 0",
		DEED_WRITE, DEED_READ);
	/* The end of file that a reader waited for, and the reader that a writer waited for. */
	load(d, t, db,
		"SELECT e.pipe_id, e.close_ns, t.id, e.mode <> 'r' FROM pipe_end e"
		" JOIN thread t ON t.process_id = e.process_id AND t.is_main WHERE e.close_ns IS NOT NULL",
		DEED_WRITE, DEED_READ);
	load(d, t, db,
		"SELECT lock_id, release_ns, thread_id, 1 FROM lock_hold WHERE release_ns IS NOT NULL"
		" AND (SELECT max(id) FROM lock_hold) < " HOLDS_MAX,
		DEED_RELEASE, DEED_RELEASE);
	load(d, t, db,
		"SELECT lock_id, start_ns, thread_id, 1 FROM sync WHERE lock_id IS NOT NULL"
		" AND op IN ('signal', 'broadcast', 'post')",
		DEED_SIGNAL, DEED_SIGNAL);
	for (size_t i = 0; i < t->n_procs; i++)
		if (t->procs[i].reaper != NONE)
			add(d, DEED_REAP, t->threads[t->procs[i].reaper].id, t->procs[i].reaped,
				t->procs[i].main_thread);
	if (d->n)
		qsort(d->list, d->n, sizeof *d->list, by_key);
}

/* Returns how many deeds there are up to that one. */
static size_t count_to(const struct path_deeds *d, enum deed_kind kind, int64_t object, int64_t ts)
{
	struct deed upto = {deed_key(kind, object), ts, UINT32_MAX};
	size_t low = 0, high = d->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (by_key(&d->list[mid], &upto) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Returns the last deed of that kind in (from, to] by another thread than the waiter, or NONE. */
static size_t last_deed(
	const struct path_deeds *d, enum deed_kind kind, int64_t object, const struct path_wait *w)
{
	uint64_t key = deed_key(kind, object);

	for (size_t i = count_to(d, kind, object, w->to);
		i > 0 && d->list[i - 1].key == key && d->list[i - 1].ts > w->from; i--)
		if (d->list[i - 1].thread != w->thread)
			return d->list[i - 1].thread;
	return NONE;
}

/* When a child was reaped is known to a hundredth of a second, and the wait for it may seem to have ended before. */
#define REAPED_NS 10000000

/* Returns the child that the waiter reaped nearest to the end of its wait, or NONE. */
static size_t reaped(const struct path_deeds *d, const struct trace *t, const struct path_wait *w)
{
	int64_t waiter = t->threads[w->thread].id;
	uint64_t key = deed_key(DEED_REAP, waiter);
	size_t i = count_to(d, DEED_REAP, waiter, w->to);
	const struct deed *before =
		i > 0 && d->list[i - 1].key == key && d->list[i - 1].ts > w->from ? &d->list[i - 1]
										  : NULL;
	const struct deed *after =
		i < d->n && d->list[i].key == key && d->list[i].ts - w->to < REAPED_NS ? &d->list[i]
										       : NULL;

	if (before && after)
		return w->to - before->ts < after->ts - w->to ? before->thread : after->thread;
	return before ? before->thread : after ? after->thread : NONE;
}

size_t path_deeds_waker(
	struct path_deeds *d, const struct trace *t, sqlite3 *db, const struct path_wait *w)
{
	size_t by = NONE;

	if (!w->lock_id && !w->pipe_id && w->reason != WAIT_CHILD && w->reason != WAIT_VFORK)
		return NONE;
	if (!d->is_loaded)
		load_all(d, t, db);
	if (w->reason == WAIT_CHILD || w->reason == WAIT_VFORK)
		return reaped(d, t, w);
	if (w->pipe_id)
		return last_deed(
			d, w->reason == WAIT_PIPE_WRITE ? DEED_READ : DEED_WRITE, w->pipe_id, w);
	by = last_deed(d, DEED_RELEASE, w->lock_id, w);
	return by != NONE ? by : last_deed(d, DEED_SIGNAL, w->lock_id, w);
}

void path_deeds_done(struct path_deeds *d)
{
	free(d->list);
	free(d->why);
}
