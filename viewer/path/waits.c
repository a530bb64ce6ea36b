/* waits.c - the waits of each thread, for the walk of the critical path. */
/* SPDX-License-Identifier: MIT */
#include "viewer/path/private.h"

#include <sqlite3.h>

#include "base/mem.h"
#include "viewer/load/load.h"

static uint32_t index_of(size_t i)
{
	return i == NONE ? 0 : (uint32_t)i + 1;
}

/* The last word asked for is remembered: reasons come in runs, and names are compared one by one. */
struct word {
	char text[24];
	enum wait_reason reason;
};

static enum wait_reason reason_of(struct word *last, const char *text)
{
	if (!text)
		return WAIT_OTHER;
	if (strcmp(text, last->text) != 0) {
		last->reason = wait_find(text);
		(void)snprintf(last->text, sizeof last->text, "%s", text);
	}
	return last->reason;
}

/* An id, which is never 0; NULL is 0. There may be millions of rows. */
static int64_t id(struct rows *r, int col)
{
	return sqlite3_column_int64(r->stmt, col);
}

/* Whoever is killed in a wait did not come out of it, though each thread is seen to wake up before it dies. */
static bool is_endless(
	const struct trace *t, const struct thread_row *th, int64_t to, uint32_t waker)
{
	const struct proc_row *p = &t->procs[th->proc];

	if (to >= th->end || to >= p->killed)
		return true;
	return !waker && p->end_kind == LIFE_SIGNAL && to >= th->end - PATH_TOGETHER_NS;
}

static void load_wait(
	struct path_waits *ws, const struct trace *t, struct rows *r, struct word *last)
{
	size_t thread = trace_thread(t, id(r, 1));
	int64_t from = rows_time(r, 2, 0), to = rows_time(r, 3, TIME_NEVER);
	const struct thread_row *th;

	if (thread == NONE)
		return;
	th = &t->threads[thread];
	ARRAY_GROW(ws->list, ws->n, ws->cap);
	ws->list[ws->n] = (struct path_wait){.id = id(r, 0),
		.from = from,
		.thread = (uint32_t)thread,
		.reason = reason_of(last, (const char *)sqlite3_column_text(r->stmt, 4)),
		.waker = index_of(trace_thread(t, id(r, 5))),
		.lock_id = id(r, 6),
		.pipe_id = id(r, 7),
		.target_proc = index_of(trace_proc(t, id(r, 8))),
		.target_thread = index_of(trace_thread(t, id(r, 9)))};
	ws->list[ws->n].endless = is_endless(t, th, to, ws->list[ws->n].waker);
	ws->list[ws->n].to = trace_end(t, to < th->end ? to : th->end);
	if (ws->list[ws->n].to > from)
		ws->n++;
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

/* Rows come in the order in which waits ended, so those of one thread are in order: counting is enough, unless a recording is odd. */
static void sort(struct path_waits *ws, size_t n_threads)
{
	struct path_wait *sorted = xcalloc(ws->n + 1, sizeof *sorted);
	_cleanup_free_ size_t *next = xcalloc(n_threads + 1, sizeof *next);
	bool in_order = true;

	for (size_t i = 0; i < ws->n; i++)
		ws->first[ws->list[i].thread + 1]++;
	for (size_t i = 0; i < n_threads; i++) {
		ws->first[i + 1] += ws->first[i];
		next[i] = ws->first[i];
		ws->hint[i] = ws->first[i + 1];
	}
	for (size_t i = 0; i < ws->n; i++)
		sorted[next[ws->list[i].thread]++] = ws->list[i];
	free(ws->list);
	ws->list = sorted;
	for (size_t i = 1; i < ws->n; i++)
		in_order = in_order && by_thread(&sorted[i - 1], &sorted[i]) <= 0;
	if (!in_order)
		qsort(sorted, ws->n, sizeof *sorted, by_thread);
	/* One thing at a time: what began inside a wait cuts it. */
	for (size_t i = 1; i < ws->n; i++)
		if (sorted[i].thread == sorted[i - 1].thread && sorted[i - 1].to > sorted[i].from)
			sorted[i - 1].to = sorted[i].from;
}

char *path_waits_load(struct path_waits *ws, const struct trace *t, sqlite3 *db)
{
	struct rows r = rows_begin(db,
		"SELECT id, thread_id, start_ns, end_ns, reason, waker_id, lock_id, pipe_id,"
		" target_process_id, target_thread_id FROM wait ORDER BY id");
	struct word last = {.reason = wait_find("")};

	ws->first = xcalloc(t->n_threads + 2, sizeof *ws->first);
	ws->hint = xcalloc(t->n_threads + 1, sizeof *ws->hint);
	while (rows_next(&r))
		load_wait(ws, t, &r, &last);
	sort(ws, t->n_threads);
	return rows_end(&r);
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
