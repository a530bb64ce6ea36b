/* walk.c - a recording as what trace viewers show: lives, slices, instants, holds, arrows. */
/* SPDX-License-Identifier: MIT */
#include "viewer/export/walk.h"

#include <sqlite3.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"
#include "viewer/export/private.h"

struct walk {
	sqlite3 *db;
	const struct export_filter *filter;
	export_event_fn *each;
	void *arg;
	struct buf *why;
};

bool walk_wants(const struct export_filter *f, const char *kinds)
{
	if (!f->n_kinds)
		return true;
	for (size_t i = 0; i < f->n_kinds; i++) {
		const char *found = strstr(kinds, f->kinds[i]);
		size_t len = strlen(f->kinds[i]);

		if (found && (found == kinds || found[-1] == ' ') &&
			(found[len] == ' ' || found[len] == '\0'))
			return true;
	}
	return false;
}

/* ---- Who is shown ---- */

/* Keeps those processes that were asked for. */
static int keep_processes(struct walk *w)
{
	const struct export_filter *f = w->filter;
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	_cleanup_buf_ struct buf sql = BUF_INIT;

	if (!f->n_processes)
		return 0;
	buf_adds(&sql,
		"DELETE FROM temp.who WHERE process_id NOT IN (SELECT id FROM process WHERE 0");
	for (size_t i = 0; i < f->n_processes; i++)
		buf_addf(&sql, " OR name = ?%zu OR CAST(pid AS TEXT) = ?%zu", i + 1, i + 1);
	buf_adds(&sql, ")");
	if (query_open(w->db, sql.data, &st, w->why) < 0)
		return -EIO;
	for (size_t i = 0; i < f->n_processes; i++)
		query_bind_text(st, (int)i + 1, f->processes[i]);
	return query_run(st, w->why);
}

static int make_tables(struct walk *w)
{
	int rc = query_exec(w->db, walk_who_sql, w->why);

	return rc ? rc : keep_processes(w);
}

/* ---- Events ---- */

/* Cuts an event to the time that is wanted, and hands it over unless nothing of it is left. */
static int tell(struct walk *w, struct export_event *e)
{
	const struct export_filter *f = w->filter;
	bool is_span = e->what == EXPORT_SLICE || e->what == EXPORT_HOLD;

	if (e->what == EXPORT_PROCESS || e->what == EXPORT_THREAD)
		return w->each(w->arg, e);
	if (e->end < e->ts && is_span)
		e->end = e->ts;
	if (is_span ? e->end < f->since_ns || e->ts > f->until_ns
		    : e->ts < f->since_ns || e->ts > f->until_ns ||
				(e->what == EXPORT_ARROW &&
					(e->end < f->since_ns || e->end > f->until_ns)))
		return 0;
	if (is_span && e->ts < f->since_ns)
		e->ts = f->since_ns;
	if (is_span && e->end > f->until_ns)
		e->end = f->until_ns;
	return w->each(w->arg, e);
}

static int tell_row(struct walk *w, const struct walk_query *q, sqlite3_stmt *st)
{
	struct export_event e = {
		.what = q->what,
		.category = q->category,
		.name = query_text(st, WALK_NAME),
		.pid = query_int(st, WALK_PID, 0),
		.tid = query_int(st, WALK_TID, 0),
		.ts = query_int(st, WALK_TS, 0),
		.end = query_int(st, WALK_END, 0),
		.id = query_int(st, WALK_ID, 0),
		.args = st,
		.first = WALK_ARGS,
	};

	if (q->what == EXPORT_ARROW) {
		e.to_pid = query_int(st, WALK_ARGS, 0);
		e.to_tid = query_int(st, WALK_ARGS + 1, 0);
		e.args = NULL;
	}
	return tell(w, &e);
}

static int tell_all(struct walk *w, const struct walk_query *q)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int rc;

	if (!walk_wants(w->filter, q->kinds))
		return 0;
	rc = query_open(w->db, q->sql, &st, w->why);
	while (!rc && (rc = query_step(st, w->why)) > 0)
		rc = tell_row(w, q, st);
	return rc;
}

/* ---- Slices ---- */

enum { DEPTH = 64 }; /* deeper ones are told as if they were beside the one at that depth */

/* The slices of one thread that are open at the moment; the first one is its life. */
struct nest {
	int64_t thread_id, ends[DEPTH];
	size_t n;
};

/* Cuts a span so that it lies within the one around it. */
static void nest_enter(struct nest *nest, int64_t *start, int64_t *end)
{
	while (nest->n > 1 && nest->ends[nest->n - 1] <= *start)
		nest->n--;
	if (nest->n && *end > nest->ends[nest->n - 1])
		*end = nest->ends[nest->n - 1];
	if (*start > *end)
		*start = *end;
	if (nest->n < DEPTH)
		nest->ends[nest->n++] = *end;
}

/* Tells the life of a thread, the slice around all others. */
static int begin_thread(struct walk *w, struct nest *nest, sqlite3_stmt *life, int64_t thread_id)
{
	struct walk_query q = {.what = EXPORT_SLICE, .category = "life"};
	int rc;

	nest->thread_id = thread_id;
	nest->n = 0;
	(void)sqlite3_reset(life);
	query_bind_int(life, 1, thread_id);
	rc = query_step(life, w->why);
	if (rc <= 0)
		return rc;
	nest->ends[nest->n++] = query_int(life, WALK_END, 0);
	return tell_row(w, &q, life);
}

/* Tells one slice: row gives its table, id, start and end; of its name and arguments the table's statement knows. */
static int tell_slice(struct walk *w, struct nest *nest, sqlite3_stmt *row, sqlite3_stmt *detail)
{
	const struct walk_query *q = &walk_slices[query_int(row, 1, 0)];
	struct export_event e = {.what = EXPORT_SLICE,
		.category = q->category,
		.ts = query_int(row, 3, 0),
		.end = query_int(row, 4, 0),
		.args = detail,
		.first = WALK_ARGS};
	int rc;

	if (e.ts < query_int(row, 5, 0))
		e.ts = query_int(row, 5, 0);
	nest_enter(nest, &e.ts, &e.end);
	if (!walk_wants(w->filter, q->kinds))
		return 0;
	(void)sqlite3_reset(detail);
	query_bind_int(detail, 1, query_int(row, 2, 0));
	rc = query_step(detail, w->why);
	if (rc <= 0)
		return rc;
	e.name = query_text(detail, WALK_NAME);
	e.pid = query_int(detail, WALK_PID, 0);
	e.tid = query_int(detail, WALK_TID, 0);
	return tell(w, &e);
}

/* Sorted are numbers alone, by thread and time; a file takes what memory would not hold. */
static int tell_slices(struct walk *w)
{
	sqlite3_stmt *details[WALK_SLICES] = {NULL};
	_cleanup_stmt_ sqlite3_stmt *rows = NULL, *life = NULL;
	struct nest nest = {.thread_id = -1};
	int rc = query_open(w->db, walk_life_sql, &life, w->why);

	for (size_t i = 0; !rc && i < WALK_SLICES; i++)
		rc = query_open(w->db, walk_slices[i].sql, &details[i], w->why);
	if (!rc)
		rc = query_open(w->db, walk_order_sql, &rows, w->why);
	while (!rc && (rc = query_step(rows, w->why)) > 0) {
		int64_t thread = query_int(rows, 0, 0), table = query_int(rows, 1, -1);

		rc = 0;
		if (thread != nest.thread_id)
			rc = begin_thread(w, &nest, life, thread);
		/* A row of table -1 is there for a thread that has no slice but its life. */
		if (!rc && table >= 0 && table < WALK_SLICES)
			rc = tell_slice(w, &nest, rows, details[table]);
	}
	for (size_t i = 0; i < WALK_SLICES; i++)
		query_cleanup(&details[i]);
	return rc;
}

int export_walk(sqlite3 *db, const struct export_filter *filter, export_event_fn *each, void *arg,
	struct buf *why)
{
	struct walk w = {db, filter, each, arg, why};
	int rc = make_tables(&w);

	for (size_t i = 0; !rc && i < walk_names_n; i++)
		rc = tell_all(&w, &walk_names[i]);
	if (!rc)
		rc = tell_slices(&w);
	for (size_t i = 0; !rc && i < walk_events_n; i++)
		rc = tell_all(&w, &walk_events[i]);
	(void)sqlite3_exec(db, "DROP TABLE IF EXISTS temp.who", NULL, NULL, NULL);
	return rc;
}
