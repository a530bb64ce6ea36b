/* json.c - findings as JSON. */
/* SPDX-License-Identifier: MIT */
#include "verdict/json.h"

#include "base/buf.h"
#include "verdict/naming.h"
#include "schema/query.h"
#include "verdict/place.h"
#include "verdict/verdict.h"

static void add_text(struct buf *b, const char *name, const char *text)
{
	buf_addf(b, ",\"%s\":", name);
	if (text)
		buf_add_json(b, text, strlen(text));
	else
		buf_adds(b, "null");
}

static void add_id(struct buf *b, const char *name, int64_t id)
{
	if (id)
		buf_addf(b, ",\"%s\":%lld", name, (long long)id);
}

/* Adds a member of an object for each column of the row; numbers as numbers. */
static void add_row(struct buf *b, sqlite3_stmt *stmt)
{
	for (int i = 0; i < sqlite3_column_count(stmt); i++) {
		buf_addf(b, ",\"%s\":", sqlite3_column_name(stmt, i));
		query_json(b, stmt, i, sqlite3_column_name(stmt, i));
	}
}

static void add_named(struct buf *b, struct sqlite3 *db, const char *sql, int64_t id)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;

	if (id && query_one(db, sql, id, &stmt, &why) == 1)
		add_row(b, stmt);
}

static void add_described(struct buf *b, struct sqlite3 *db, const char *name, int64_t id,
	void (*describe)(struct buf *, struct sqlite3 *, int64_t))
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (!id)
		return;
	describe(&text, db, id);
	add_text(b, name, text.data);
}

static void add_member(struct buf *b, struct sqlite3 *db, const struct finding_member *m, size_t i)
{
	buf_addf(b, "{\"ordinal\":%zu", i + 1);
	add_text(b, "text", m->text);
	add_id(b, "thread_id", m->thread_id);
	add_named(b, db,
		"SELECT t.tid, iif(t.is_main, t.name, n.name) AS thread_name FROM thread t"
		" JOIN thread_name n ON n.thread_id = t.id WHERE t.id = ?1",
		m->thread_id);
	add_id(b, "process_id", m->process_id);
	add_named(b, db, "SELECT pid, name AS process_name FROM process WHERE id = ?1",
		m->process_id);
	add_id(b, "lock_id", m->lock_id);
	add_described(b, db, "lock", m->lock_id, naming_lock);
	add_id(b, "pipe_id", m->pipe_id);
	add_described(b, db, "pipe", m->pipe_id, naming_pipe);
	add_id(b, "wait_id", m->wait_id);
	add_id(b, "site_id", m->site_id);
	add_named(b, db, "SELECT file, line, function, module FROM site WHERE id = ?1", m->site_id);
	if (m->stack_id) {
		buf_adds(b, ",\"frames\":");
		place_add_json(b, db, m->stack_id);
	}
	buf_addc(b, '}');
}

void verdict_json(struct buf *b, struct sqlite3 *db, const struct finding *f)
{
	buf_adds(b, "{\"rule\":");
	buf_add_json(b, f->rule, strlen(f->rule));
	add_text(b, "severity", f->severity);
	add_text(b, "certainty", f->certain ? "certain" : "conditional");
	buf_addf(b, ",\"ts_ns\":%lld", (long long)f->ts_ns);
	if (f->shape)
		add_text(b, "shape", f->shape);
	add_text(b, "summary", f->summary);
	add_text(b, "explanation", f->explanation);
	add_text(b, "remedy", f->remedy);
	buf_adds(b, ",\"members\":[");
	for (size_t i = 0; i < f->n_members; i++) {
		buf_adds(b, i ? "," : "");
		add_member(b, db, &f->members[i], i);
	}
	buf_adds(b, "]}");
}

void verdict_json_trace(struct buf *b, struct sqlite3 *db, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf row = BUF_INIT;

	buf_addc(b, '{');
	if (query_one(db,
		    "SELECT command, backend, duration_ns, complete, lost, blind_spots FROM trace",
		    0, &stmt, why) == 1) {
		add_row(&row, stmt);
		buf_adds(b, row.data + 1); /* without the first comma */
	}
	buf_addc(b, '}');
}
