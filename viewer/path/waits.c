/* waits.c - the waits of each thread, for the walk of the critical path. */
/* SPDX-License-Identifier: MIT */
#include "viewer/path/private.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "viewer/load/waits.h"

/* Whoever is killed in a wait did not come out of it, though each thread is seen to wake up before it dies. */
static bool is_endless(
	const struct trace *t, const struct thread_row *th, int64_t to, uint32_t waker)
{
	const struct proc_row *p = &t->procs[th->proc];

	if (to >= th->end || to >= p->killed)
		return true;
	return !waker && p->end_kind == LIFE_SIGNAL && to >= ns_sub(th->end, PATH_TOGETHER_NS);
}

/* Makes a wait of the path of a row; false: it took no time, or is nobody's. */
static bool take(const struct trace *t, const struct wait_row *row, struct path_wait *ret)
{
	const struct thread_row *th;

	if (!row->thread)
		return false;
	th = &t->threads[row->thread - 1];
	*ret = (struct path_wait){.id = row->id,
		.from = row->from,
		.to = trace_end(t, row->to < th->end ? row->to : th->end),
		.thread = row->thread - 1,
		.reason = row->reason,
		.waker = row->waker,
		.lock_id = row->lock_id,
		.pipe_id = row->pipe_id,
		.target_proc = row->target_proc,
		.target_thread = row->target_thread,
		.endless = is_endless(t, th, row->to, row->waker)};
	return ret->to > ret->from;
}

/*
 * A stop takes a thread out of its wait without a waker, and the wait goes on when the stop ends (signal(7)): whoever
 * is killed while it is stopped has waited to its end, however long the stop lasted.
 */
static void stay_endless(struct path_waits *ws)
{
	for (size_t i = 1; i < ws->n; i++) {
		struct path_wait *was = &ws->list[i - 1], *stop = &ws->list[i];

		if (was->thread == stop->thread && stop->reason == WAIT_STOPPED && stop->endless &&
			!was->waker && was->to >= ns_sub(stop->from, PATH_TOGETHER_NS))
			was->endless = true;
	}
}

static int by_thread(const void *a, const void *b)
{
	const struct path_wait *x = a, *y = b;

	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Counts how many each thread has at most, and where its first one goes. */
static void make_room(struct path_waits *ws, const struct wait_rows *rows, size_t n_threads)
{
	for (size_t i = 0; i < rows->n; i++)
		ws->first[rows->list[i].thread]++;
	ws->first[0] = 0;
	for (size_t i = 0; i < n_threads; i++)
		ws->first[i + 1] += ws->first[i];
	ws->list = xcalloc(ws->first[n_threads] + 1, sizeof *ws->list);
}

/* Rows come in the order in which waits ended, so those of one thread are in order: counting is enough, unless a recording is odd. */
static void sort(struct path_waits *ws, const struct trace *t, const struct wait_rows *rows)
{
	_cleanup_free_ size_t *next = xcalloc(t->n_threads + 1, sizeof *next);
	bool in_order = true;

	make_room(ws, rows, t->n_threads);
	if (t->n_threads)
		memcpy(next, ws->first, t->n_threads * sizeof *next);
	for (size_t i = 0; i < rows->n; i++) {
		struct path_wait w;

		if (take(t, &rows->list[i], &w))
			ws->list[next[w.thread]++] = w;
	}
	/* Those that took no time have left gaps between the threads. */
	for (size_t i = 0; i < t->n_threads; i++) {
		size_t n = next[i] - ws->first[i];

		if (n && ws->n < ws->first[i])
			memmove(&ws->list[ws->n], &ws->list[ws->first[i]], n * sizeof *ws->list);
		ws->first[i] = ws->n;
		ws->n += n;
		ws->hint[i] = ws->n;
	}
	ws->first[t->n_threads] = ws->n;
	for (size_t i = 1; i < ws->n; i++)
		in_order = in_order && by_thread(&ws->list[i - 1], &ws->list[i]) <= 0;
	if (!in_order)
		qsort(ws->list, ws->n, sizeof *ws->list, by_thread);
	/* One thing at a time: what began inside a wait cuts it. */
	for (size_t i = 1; i < ws->n; i++)
		if (ws->list[i].thread == ws->list[i - 1].thread &&
			ws->list[i - 1].to > ws->list[i].from)
			ws->list[i - 1].to = ws->list[i].from;
	stay_endless(ws);
}

char *path_waits_load(struct path_waits *ws, const struct trace *t, struct sqlite3 *db)
{
	char *why = NULL;
	const struct wait_rows *rows = trace_waits(t, db, &why);

	ws->first = xcalloc(t->n_threads + 2, sizeof *ws->first);
	ws->hint = xcalloc(t->n_threads + 1, sizeof *ws->hint);
	if (rows)
		sort(ws, t, rows);
	return why;
}

void path_waits_done(struct path_waits *ws)
{
	free(ws->list);
	free(ws->first);
	free(ws->hint);
}

/* Returns how many waits of a thread began before then. */
static size_t count_before(const struct path_waits *ws, size_t thread, int64_t then)
{
	size_t low = ws->first[thread], high = ws->first[thread + 1], hint = ws->hint[thread];

	/* Mostly it is the one that was found last, or one of the few before it. */
	if (hint == high || ws->list[hint].from >= then)
		for (size_t i = high = hint; i > low && hint - i < 8; high = --i)
			if (ws->list[i - 1].from < then)
				return i;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (ws->list[mid].from < then)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct path_wait *path_waits_before(struct path_waits *ws, size_t thread, int64_t then)
{
	size_t n = count_before(ws, thread, then);

	ws->hint[thread] = n;
	return n > ws->first[thread] ? &ws->list[n - 1] : NULL;
}
