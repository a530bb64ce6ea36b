/* transfers.c - which read got what which write had put into a pipe. */
/* SPDX-License-Identifier: MIT */
/*
 * Bytes leave a pipe in the order in which they came in; so the write that a
 * read answers follows from counting. A read may return a little before the
 * write that filled it does, hence the order by the start of writes.
 */
#include "viewer/load/transfers.h"

#include <sqlite3.h>

#include "base/hash.h"
#include "base/mem.h"
#include "schema/names.h"
#include "viewer/load/load.h"

/* Pairing more calls takes longer than anybody waits for a picture. */
enum { CALLS_MAX = 1000000 };

/* A call that moved bytes. */
struct call {
	int64_t pipe, ts, bytes, id;
	size_t thread;
	bool is_write, side;
};

struct calls {
	struct call *list;
	size_t n, cap;
};

/* A write whose bytes have not all been read. */
struct sent {
	int64_t ts, left;
	size_t thread;
};

/* One direction of a pipe: who wrote what is still in it. */
struct stream {
	struct sent *list;
	size_t first, n, cap;
};

/* Those of connected sockets have two directions: side 0 reads what side 1 wrote. */
static char *find_two_sided(struct hash *ret, sqlite3 *db)
{
	struct rows r = rows_begin(db, "SELECT id, kind FROM pipe");

	while (rows_next(&r)) {
		const char *kind = (const char *)sqlite3_column_text(r.stmt, 1);

		if (kind && names_pipe_is_two_sided(kind))
			(void)hash_set(ret, (uint64_t)rows_int(&r, 0, 0), ret);
	}
	return rows_end(&r);
}

static char *load_calls(
	struct calls *c, const struct hash *two_sided, const struct trace *t, sqlite3 *db)
{
	struct rows r = rows_begin(db,
		"SELECT pipe_id, side, op = 'write', thread_id, start_ns, end_ns, bytes, id FROM pipe_io"
		" WHERE bytes > 0 AND op IN ('read', 'write') ORDER BY id");

	while (rows_next(&r)) {
		bool is_write = rows_int(&r, 2, 0) != 0;
		int64_t pipe = rows_int(&r, 0, -1);

		ARRAY_GROW(c->list, c->n, c->cap);
		c->list[c->n++] = (struct call){.pipe = pipe,
			.ts = rows_time(&r, is_write ? 4 : 5, 0),
			.bytes = rows_time(&r, 6, 0),
			.id = rows_int(&r, 7, 0),
			.thread = trace_thread(t, rows_int(&r, 3, -1)),
			.is_write = is_write,
			.side = hash_get(two_sided, (uint64_t)pipe) &&
				(rows_int(&r, 1, 0) == 1) != is_write};
	}
	return rows_end(&r);
}

static int by_pipe(const void *a, const void *b)
{
	const struct call *x = a, *y = b;

	if (x->pipe != y->pipe)
		return x->pipe < y->pipe ? -1 : 1;
	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	if (x->is_write != y->is_write)
		return x->is_write ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void stream_write(struct stream *s, const struct call *c)
{
	ARRAY_GROW(s->list, s->n, s->cap);
	s->list[s->n++] = (struct sent){c->ts, c->bytes, c->thread};
}

/* Takes bytes out and returns the last write that they came from, or NULL. */
static const struct sent *stream_read(struct stream *s, int64_t bytes)
{
	const struct sent *last = NULL;

	while (bytes > 0 && s->first < s->n) {
		struct sent *head = &s->list[s->first];
		int64_t part = bytes < head->left ? bytes : head->left;

		last = head;
		head->left -= part;
		bytes -= part;
		if (head->left == 0)
			s->first++;
		else
			break;
	}
	return last;
}

static void pair(struct transfers *all, const struct calls *calls)
{
	struct stream streams[2] = {{0}};

	for (size_t i = 0; i < calls->n; i++) {
		const struct call *c = &calls->list[i];
		struct stream *s = &streams[c->side];
		const struct sent *from;

		if (i && c->pipe != calls->list[i - 1].pipe)
			streams[0].first = streams[0].n = streams[1].first = streams[1].n = 0;
		if (c->is_write) {
			stream_write(s, c);
			continue;
		}
		from = stream_read(s, c->bytes);
		if (!from)
			continue;
		ARRAY_GROW(all->list, all->n, all->cap);
		all->list[all->n++] =
			(struct transfer){from->thread, c->thread, from->ts, c->ts, c->bytes};
	}
	free(streams[0].list);
	free(streams[1].list);
}

static char *load(struct transfers *all, const struct trace *t, sqlite3 *db)
{
	struct hash two_sided = {0};
	struct calls calls = {0};
	char *why = NULL;
	int64_t n = rows_number(db, "SELECT max(id) FROM pipe_io", 0, 0, &why);

	if (n > CALLS_MAX)
		all->left_out = (size_t)n / 2;
	if (why || n > CALLS_MAX)
		return why;
	why = find_two_sided(&two_sided, db);
	if (!why)
		why = load_calls(&calls, &two_sided, t, db);
	if (!why && calls.n)
		qsort(calls.list, calls.n, sizeof *calls.list, by_pipe);
	if (!why)
		pair(all, &calls);
	hash_done(&two_sided);
	free(calls.list);
	return why;
}

const struct transfers *trace_transfers(const struct trace *t, sqlite3 *db, char **ret_why)
{
	struct transfers *all = t->transfers;

	if (!all->is_loaded)
		*ret_why = load(all, t, db);
	if (*ret_why)
		return NULL;
	all->is_loaded = true;
	return all;
}

void trace_free_transfers(struct trace *t)
{
	if (t->transfers)
		free(t->transfers->list);
	free(t->transfers);
}
