/* look.c - one look at a recording or at running processes, as rows. */
/* SPDX-License-Identifier: MIT */
#include "cli/top/top.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/common/why_list.h"
#include "cli/common/why_rows.h"
#include "schema/db.h"
#include "schema/query.h"
#include "tracer/inspect.h"
#include "verdict/naming.h"
#include "verdict/place.h"
#include "verdict/verdict.h"

enum { FACTS = 4, LOOK_SECONDS = 60 };

static void add_fact(struct top_look *look, struct buf *text)
{
	ARRAY_GROW(look->facts, look->n_facts, look->cap_facts);
	look->facts[look->n_facts++] = buf_steal(text);
}

static void add_details(struct buf *b, const struct why_source *src, const struct why_row *r)
{
	_cleanup_buf_ struct buf whom = BUF_INIT, site = BUF_INIT;

	if (why_whom(&whom, src, r, ", "))
		buf_addf(b, "%s%s\n", r->lock_id ? "held by " : "other end: ", whom.data);
	if (r->stack_id)
		place_add_lines(b, src->db, r->stack_id, "");
	else if (r->site_id)
		naming_site(&site, src->db, r->site_id);
	if (site.len)
		buf_addf(b, "%s\n", site.data + 1);
}

static void add_row(struct top_look *look, const struct why_source *src, const struct why_row *r,
	int64_t pid, const char *process, int64_t now)
{
	_cleanup_buf_ struct buf what = BUF_INIT, details = BUF_INIT, name = BUF_INIT;
	const char *called = r->name ? r->name : process;
	struct top_row *row;

	why_list_object(&what, src, r);
	add_details(&details, src, r);
	buf_add_printable(&name, called, strlen(called));
	ARRAY_GROW(look->rows, look->n, look->cap);
	row = &look->rows[look->n++];
	*row = (struct top_row){.pid = pid,
		.tid = r->tid,
		.since_ns = r->wait_id ? now - r->since_ns : -1,
		.name = buf_steal(&name),
		.what = buf_steal(&what),
		.details = buf_steal(&details)};
	if (r->wait_id && row->since_ns < 0)
		row->since_ns = 0;
}

/*
 * Returns the time within the recording. One that grows is as long as at its last commit, and nothing is committed while
 * nothing happens: time goes on nevertheless.
 */
static int64_t time_now(struct top_source *top, const struct why_source *src)
{
	int64_t length = why_source_now(src), now = (int64_t)clock_now();

	if (!top->db || query_number(src->db, "SELECT complete FROM trace", 0, 1, src->why) != 0)
		return length;
	if (length != top->grown_to || !top->grown_at_ns) {
		top->grown_to = length;
		top->grown_at_ns = now;
	}
	return length + (now - top->grown_at_ns);
}

static void add_threads(struct top_look *look, struct top_source *top, const struct why_source *src)
{
	_cleanup_stmt_ sqlite3_stmt *st = why_processes(src);
	int64_t now = time_now(top, src);

	while (why_next(src, st)) {
		struct why_rows rows = {0};

		look->processes++;
		why_rows_load(&rows, src, query_int(st, 0, 0));
		for (size_t i = 0; i < rows.n; i++)
			add_row(look, src, &rows.list[i], query_int(st, 1, 0), query_text(st, 2),
				now);
		why_rows_done(&rows);
	}
}

/* Locks that somebody waits for, those with the most waiters first. */
static void add_locks(struct top_look *look, const struct why_source *src)
{
	_cleanup_stmt_ sqlite3_stmt *st = why_prepare(src,
		"SELECT lock_id, count(*) FROM waiting WHERE lock_id IS NOT NULL"
		" GROUP BY lock_id ORDER BY 2 DESC, 1 LIMIT ?1",
		FACTS);

	while (why_next(src, st)) {
		_cleanup_buf_ struct buf text = BUF_INIT, whom = BUF_INIT;
		struct why_row r = {.lock_id = query_int(st, 0, 0)};

		naming_lock(&text, src->db, r.lock_id);
		buf_adds(&text, ": ");
		naming_count(&text, query_int(st, 1, 0), "thread");
		buf_adds(&text, query_int(st, 1, 0) == 1 ? " waits" : " wait");
		if (why_whom(&whom, src, &r, ", "))
			buf_addf(&text, ", held by %s", whom.data);
		add_fact(look, &text);
	}
}

/* Bytes that were written to pipes since the last look; only new rows are read. */
static void add_pipes(struct top_look *look, struct top_source *top, const struct why_source *src,
	int64_t took_ns)
{
	_cleanup_stmt_ sqlite3_stmt *st = why_prepare(src,
		"SELECT pipe_id, sum(bytes), max(id) FROM pipe_io WHERE id > ?1 AND op = 'write'"
		" GROUP BY pipe_id ORDER BY 2 DESC, 1",
		top->last_io);
	int64_t last = top->last_io;

	for (int n = 0; why_next(src, st); n++) {
		_cleanup_buf_ struct buf text = BUF_INIT;

		if (query_int(st, 2, 0) > last)
			last = query_int(st, 2, 0);
		/* At the first look the time that the bytes took is not known. */
		if (n >= FACTS || !took_ns || query_int(st, 1, 0) <= 0)
			continue;
		naming_pipe(&text, src->db, query_int(st, 0, 0));
		buf_addf(&text, ": %.0f bytes/s",
			(double)query_int(st, 1, 0) * 1e9 / (double)took_ns);
		add_fact(look, &text);
	}
	top->last_io = last;
}

static void add_findings(struct top_look *look, const struct findings *found)
{
	for (size_t i = 0; i < found->n; i++) {
		_cleanup_buf_ struct buf text = BUF_INIT;

		buf_addf(&text, "%s: %s: %s", found->list[i].severity, found->list[i].rule,
			found->list[i].summary);
		add_fact(look, &text);
	}
	look->n_findings = look->n_facts;
}

static int look_at(struct top_source *top, struct sqlite3 *db, const struct findings *found,
	struct top_look *ret, struct buf *why)
{
	struct why_source src = {db, INT64_MAX, why};
	int64_t now = (int64_t)clock_now(), took = top->looked_ns ? now - top->looked_ns : 0;

	add_findings(ret, found);
	if (why_source_init(&src) == 0) {
		add_threads(ret, top, &src);
		add_locks(ret, &src);
		add_pipes(ret, top, &src, took);
	}
	why_source_done(&src);
	top->looked_ns = now;
	return query_failed(0, why);
}

static int look_at_processes(struct top_source *top, struct top_look *ret, struct buf *why)
{
	struct findings found = {0};
	struct inspect *in;
	int rc = inspect_new(top->pids, top->n_pids, &in, why);

	if (rc < 0)
		return rc;
	buf_reset(why); /* some of several may have ended */
	rc = inspect_verdict(in, false, &found, why);
	if (rc == 0)
		rc = look_at(top, inspect_db(in), &found, ret, why);
	findings_free(&found);
	inspect_free(in);
	return rc;
}

int top_look(struct top_source *top, struct top_look *ret, struct buf *why)
{
	struct findings found = {0};
	int rc;

	*ret = (struct top_look){0};
	if (!top->db)
		return look_at_processes(top, ret, why);
	db_limit(top->db, LOOK_SECONDS);
	rc = verdict_stuck(top->db, INT64_MAX, false, &found, why);
	if (rc == 0)
		rc = look_at(top, top->db, &found, ret, why);
	findings_free(&found);
	return rc;
}

void top_look_done(struct top_look *look)
{
	for (size_t i = 0; i < look->n; i++) {
		free(look->rows[i].name);
		free(look->rows[i].what);
		free(look->rows[i].details);
	}
	for (size_t i = 0; i < look->n_facts; i++)
		free(look->facts[i]);
	free(look->rows);
	free(look->facts);
	*look = (struct top_look){0};
}
