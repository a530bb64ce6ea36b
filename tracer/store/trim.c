/* trim.c - a recording that stays small: the oldest detail goes. */
/* SPDX-License-Identifier: MIT */
/*
 * Rows of detail are numbered as they are written, which is when their
 * intervals end. A mark notes at a commit which numbers are given; what has a
 * smaller number is older, so that a range of numbers is removed and nothing is searched.
 * What is still open stays, and so do processes, threads, locks, findings, and what is summed. Of pipes and
 * connections those stay that have an end, or had one within the time that is kept.
 *
 * SQLite uses the space again: the file does not shrink, and does not grow.
 */
#include "tracer/store/store.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>

enum {
	MARKS = 1024,
	BATCHES = 16,       /* a transaction has at most this part of the file */
	LEAST_ROWS = 10000, /* fewer are not worth it: they cannot be what takes the space */
	ROW_MOST = 256,     /* bytes; few rows have more */
	PARTS_OF_LAST = 8   /* so often within the time that is kept old rows are removed */
};

/* A statement with a number in the middle. */
struct removal {
	const char *before, *after;
};

/* Tables whose rows go, and which of those up to a number. */
static const struct {
	enum store_table table;
	struct removal sql;
} by_id[] = {
	{STORE_LOCK_HOLD, {"DELETE FROM lock_hold WHERE id <= ", " AND release_ns IS NOT NULL"}},
	/* Who made and joined whom is asked for as long as the threads are. */
	{STORE_SYNC, {"DELETE FROM sync WHERE id <= ",
			     " AND end_ns IS NOT NULL AND op NOT IN ('create', 'detach', 'join')"}},
	{STORE_PIPE_IO, {"DELETE FROM pipe_io WHERE id <= ", ""}},
	{STORE_WAIT,
		{"DELETE FROM wait WHERE id <= ", " AND end_ns IS NOT NULL AND reason <> 'join'"}},
	{STORE_WAIT, {"DELETE FROM wait_on WHERE wait_id <= ",
			     " AND NOT EXISTS (SELECT 1 FROM wait WHERE id = wait_id)"}},
	{STORE_WAIT, {"DELETE FROM wait_hold WHERE wait_id <= ",
			     " AND NOT EXISTS (SELECT 1 FROM wait WHERE id = wait_id)"}},
	{STORE_SCHED, {"DELETE FROM sched WHERE rowid <= ", ""}},
	{STORE_SAMPLE, {"DELETE FROM sample WHERE rowid <= ", ""}},
	{STORE_STDIO, {"DELETE FROM stdio WHERE id <= ", ""}},
};

/*
 * What has no such number, by time; there is little of it. A pipe goes with the last of its ends: what was read and
 * written had ended by then.
 */
static const struct removal by_time[] = {
	{"DELETE FROM signal WHERE coalesce(delivered_ns, sent_ns) < ",
		" AND (delivered_ns IS NOT NULL OR result IS NOT 'queued')"},
	{"DELETE FROM timer WHERE disarmed_ns < ", ""},
	{"DELETE FROM title WHERE ts_ns < ",
		" AND id NOT IN (SELECT max(id) FROM title GROUP BY process_id)"},
	{"DELETE FROM handler WHERE end_ns < ", ""},
	{"DELETE FROM pipe_end WHERE close_ns < ", ""},
	{"DELETE FROM pipe WHERE created_ns < ",
		" AND id NOT IN (SELECT pipe_id FROM pipe_end)"
		" AND id NOT IN (SELECT pipe_id FROM wait WHERE end_ns IS NULL AND pipe_id IS NOT NULL)"
		" AND id NOT IN (SELECT pipe_id FROM wait_on WHERE pipe_id IS NOT NULL)"
		" AND id NOT IN (SELECT listener_id FROM pipe WHERE listener_id IS NOT NULL)"},
	{"UPDATE trace SET detail_since_ns = ", ""},
};

struct mark {
	int64_t ns, rows; /* when it was made; the sum of ids */
	int64_t ids[ARRAY_SIZE(by_id)];
};

struct trim {
	struct store *store;
	int64_t max_bytes, last_ns;
	struct mark marks[MARKS]; /* ascending */
	size_t n;
	struct mark gone; /* up to here everything has been removed */
	int64_t used,
		used_rows; /* bytes, when they were asked for last, and the rows that there were */
};

/* The indexes that are made at the end need room too: up to which size all is kept, and what is left when it is not. */
static int64_t most(const struct trim *t)
{
	return t->max_bytes / 4 * 3;
}

static int64_t rest(const struct trim *t)
{
	return t->max_bytes / 2;
}

struct trim *trim_new(struct store *store, int64_t max_bytes, int64_t last_ns)
{
	struct trim *t = xcalloc(1, sizeof *t);

	t->store = store;
	t->max_bytes = max_bytes;
	t->last_ns = last_ns;
	if (max_bytes)
		store_commit_often(store, max_bytes / BATCHES);
	return t;
}

void trim_free(struct trim *t)
{
	free(t);
}

static struct mark mark_now(const struct trim *t, int64_t now_ns)
{
	struct mark m = {.ns = now_ns};

	for (size_t i = 0; i < ARRAY_SIZE(by_id); i++) {
		m.ids[i] = store_last_id(t->store, by_id[i].table);
		m.rows += m.ids[i];
	}
	return m;
}

/* Where there are too many every other one goes: old ones lie further apart. */
static void add_mark(struct trim *t, const struct mark *m)
{
	if (t->n == MARKS) {
		for (size_t i = 0; i < MARKS / 2; i++)
			t->marks[i] = t->marks[2 * i + 1];
		t->n = MARKS / 2;
	}
	t->marks[t->n++] = *m;
}

static void run(struct trim *t, const struct removal *r, int64_t number)
{
	_cleanup_free_ char *sql = xasprintf("%s%" PRId64 "%s", r->before, number, r->after);

	(void)store_exec(t->store, sql);
}

/* Removes what is older than the mark with that number, and the marks up to it. */
static void remove_up_to(struct trim *t, size_t i)
{
	const struct mark m = t->marks[i];

	for (size_t k = 0; k < ARRAY_SIZE(by_id); k++)
		if (m.ids[k] != t->gone.ids[k])
			run(t, &by_id[k].sql, m.ids[k]);
	for (size_t k = 0; k < ARRAY_SIZE(by_time); k++)
		run(t, &by_time[k], m.ns);
	t->gone = m;
	t->n -= i + 1;
	memmove(t->marks, t->marks + i + 1, t->n * sizeof *t->marks);
}

/* What is older than the time that is kept, if enough has come together. */
static void remove_old(struct trim *t, int64_t now_ns)
{
	size_t i = 0;

	if (now_ns - t->gone.ns < t->last_ns + t->last_ns / PARTS_OF_LAST)
		return;
	while (i < t->n && t->marks[i].ns <= now_ns - t->last_ns)
		i++;
	if (i)
		remove_up_to(t, i - 1);
}

/* The bytes that rows take, without the space that is free for others. */
static int64_t used_bytes(const struct trim *t)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct sqlite3 *db = store_db(t->store);
	int64_t pages = query_number(db, "PRAGMA page_count", 0, 0, &why);
	int64_t empty = query_number(db, "PRAGMA freelist_count", 0, 0, &why);

	return (pages - empty) * query_number(db, "PRAGMA page_size", 0, 0, &why);
}

/* The oldest part of the detail, if it takes too much space. */
static void remove_most(struct trim *t)
{
	int64_t all = t->marks[t->n - 1].rows, rows = all - t->gone.rows, used;
	size_t i = 0;

	/* To ask means to wait for what is being written: only when it may have come that far. */
	if (rows < LEAST_ROWS || t->used + (all - t->used_rows) * ROW_MOST < most(t))
		return;
	t->used = used = used_bytes(t);
	t->used_rows = all;
	if (used < most(t))
		return;
	rows = (int64_t)((double)rows * (1 - (double)rest(t) / (double)used));
	while (i + 1 < t->n && t->marks[i].rows - t->gone.rows < rows)
		i++;
	remove_up_to(t, i);
	t->used = rest(t);
}

void trim_commit(struct trim *t, int64_t now_ns)
{
	struct mark m = mark_now(t, now_ns);

	add_mark(t, &m);
	if (t->last_ns)
		remove_old(t, now_ns);
	if (t->max_bytes)
		remove_most(t);
}

int64_t trim_since(const struct trim *t)
{
	return t->gone.ns;
}
