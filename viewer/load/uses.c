/* uses.c - what each process wrote to and read from each pipe, in sums. */
/* SPDX-License-Identifier: MIT */
#include "viewer/load/uses.h"

#include <sqlite3.h>

#include "base/hash.h"
#include "base/mem.h"
#include "viewer/load/load.h"

/* While they are read: the use of each pipe, thread and direction, as its place in the list plus 1. */
struct loading {
	struct pipe_uses *us;
	const struct trace *t;
	struct hash places;
	/* The last one asked for: calls on one pipe often follow each other. */
	int64_t pipe_id, thread_id;
	bool writes;
	size_t at;
};

static size_t add(struct loading *l, int64_t pipe_id, size_t thread, bool writes)
{
	struct pipe_uses *us = l->us;
	size_t proc = thread == NONE ? NONE : l->t->threads[thread].proc;

	ARRAY_GROW(us->list, us->n, us->cap);
	us->list[us->n] = (struct pipe_use){.pipe_id = pipe_id, .proc = proc, .writes = writes};
	return us->n++;
}

static struct pipe_use *use_of(struct loading *l, int64_t pipe_id, int64_t thread_id, bool writes)
{
	uint64_t key;
	uintptr_t place;

	if (l->us->n && l->pipe_id == pipe_id && l->thread_id == thread_id && l->writes == writes)
		return &l->us->list[l->at];
	key = hash_mix((uint64_t)pipe_id, (uint64_t)thread_id, writes);
	place = (uintptr_t)hash_get(&l->places, key);
	if (!place) {
		place = add(l, pipe_id, trace_thread(l->t, thread_id), writes) + 1;
		(void)hash_set(&l->places, key, (void *)place);
	}
	l->pipe_id = pipe_id;
	l->thread_id = thread_id;
	l->writes = writes;
	l->at = place - 1;
	return &l->us->list[l->at];
}

/* Asks for no more than it must: half of the time is spent in such calls. */
static void load_call(struct loading *l, struct rows *r)
{
	const char *op = (const char *)sqlite3_column_text(r->stmt, 2);
	bool writes = op && !strcmp(op, "write");
	int64_t bytes = sqlite3_column_int64(r->stmt, 3);
	struct pipe_use *u;

	if (!writes && (!op || strcmp(op, "read") != 0))
		return;
	u = use_of(l, sqlite3_column_int64(r->stmt, 0), sqlite3_column_int64(r->stmt, 1), writes);
	u->calls += sqlite3_column_int64(r->stmt, 5);
	u->failed += !rows_is_null(r, 4);
	u->ends += !writes && bytes == 0 && !rows_is_null(r, 3);
	if (bytes > 0)
		u->bytes += (double)bytes;
}

static int by_pipe(const void *a, const void *b)
{
	const struct pipe_use *x = a, *y = b;

	if (x->pipe_id != y->pipe_id)
		return x->pipe_id < y->pipe_id ? -1 : 1;
	if (x->writes != y->writes)
		return x->writes ? -1 : 1;
	return x->proc < y->proc ? -1 : x->proc > y->proc;
}

/* The threads of one process become one. */
static void merge(struct pipe_uses *us)
{
	size_t n = 0;

	for (size_t i = 0; i < us->n; i++) {
		struct pipe_use *u = &us->list[i];

		if (!n || by_pipe(&us->list[n - 1], u) != 0) {
			us->list[n++] = *u;
			continue;
		}
		us->list[n - 1].calls += u->calls;
		us->list[n - 1].failed += u->failed;
		us->list[n - 1].ends += u->ends;
		us->list[n - 1].bytes += u->bytes;
	}
	us->n = n;
}

char *pipe_uses_load(struct pipe_uses *us, const struct trace *t, sqlite3 *db)
{
	/* Whoever made the recording may have written any count: their sum must not overflow. */
	struct rows r = rows_begin(db,
		rows_has(db, "pipe_io.count")
			? "SELECT pipe_id, thread_id, op, bytes, errno, min(max(coalesce(count, 1), 1), 2147483647) FROM pipe_io"
			: "SELECT pipe_id, thread_id, op, bytes, errno, 1 FROM pipe_io");
	struct loading l = {.us = us, .t = t};

	while (rows_next(&r))
		load_call(&l, &r);
	hash_done(&l.places);
	if (us->n)
		qsort(us->list, us->n, sizeof *us->list, by_pipe);
	merge(us);
	return rows_end(&r);
}

void pipe_uses_done(struct pipe_uses *us)
{
	free(us->list);
	*us = (struct pipe_uses){0};
}

const struct pipe_use *pipe_uses_find(
	const struct pipe_uses *us, int64_t pipe_id, size_t proc, bool writes)
{
	const struct pipe_use key = {.pipe_id = pipe_id, .proc = proc, .writes = writes};

	return us->n ? bsearch(&key, us->list, us->n, sizeof key, by_pipe) : NULL;
}
