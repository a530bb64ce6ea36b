/* why_rows.c - the threads of some processes at one moment, and whom they wait for, as rows. */
/* SPDX-License-Identifier: MIT */
#include "cli/common/why_rows.h"

#include <errno.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"
#include "verdict/naming.h"

/*
 * Now is asked for by index (end_ns IS NULL), a past moment by reading the table once. Who
 * held a lock then is known of those who never released it; ?1 is the moment.
 */
static const char waiting_sql[] =
	"CREATE TEMP TABLE waiting AS SELECT * FROM wait WHERE end_ns IS NULL AND start_ns <= ?1"
	" UNION ALL SELECT * FROM wait WHERE ?1 < 9223372036854775807 AND end_ns > ?1 AND start_ns <= ?1";
static const char standing_ends_sql[] =
	"CREATE TEMP TABLE standing_end AS SELECT * FROM pipe_end WHERE close_ns IS NULL AND open_ns <= ?1"
	" UNION ALL SELECT * FROM pipe_end"
	" WHERE ?1 < 9223372036854775807 AND close_ns > ?1 AND open_ns <= ?1";
static const char holders_sql[] =
	"CREATE TEMP TABLE holder AS SELECT * FROM lock_open WHERE acquire_ns <= ?1";
static const char moment_sql[] = "CREATE TEMP TABLE moment AS SELECT ?1 AS ns";
static const char *const tables_sql[] = {
	waiting_sql, standing_ends_sql, holders_sql, moment_sql, NULL};
static const char indexes_sql[] = "CREATE INDEX temp.waiting_thread ON waiting(thread_id);"
				  "CREATE INDEX temp.standing_end_pipe ON standing_end(pipe_id);"
				  "CREATE INDEX temp.holder_lock ON holder(lock_id)";

static const char processes_sql[] =
	"SELECT p.id, p.pid, p.name, p.command, coalesce(p.end_ns <= m.ns, 0),"
	/* What a process that was found calls itself stands where its arguments were. */
	" nullif(iif(json_valid(p.command),"
	" (SELECT rtrim(group_concat(value, ' ')) FROM json_each(p.command)), p.command), p.title)"
	" FROM process p, moment m LEFT JOIN process parent ON parent.id = p.parent_id"
	" WHERE coalesce(p.start_ns, 0) <= m.ns AND (p.end_ns IS NULL OR p.end_ns > m.ns"
	/* A zombie has a parent that could reap it. */
	" OR (coalesce(p.reaped_ns > m.ns, 1) AND p.autoreap IS NOT 1 AND parent.id IS NOT NULL"
	" AND coalesce(parent.end_ns > m.ns, 1))) ORDER BY p.id";
static const char threads_sql[] =
	"SELECT t.id, t.tid, iif(t.is_main, t.name, n.name), w.id, w.reason, w.start_ns, w.lock_id, w.pipe_id,"
	" w.target_process_id, w.target_thread_id, w.site_id, w.syscall, w.detail, w.mode, w.side,"
	" w.timed, w.stack_id, t.housekeeping FROM thread t, moment m LEFT JOIN waiting w ON w.thread_id = t.id"
	" LEFT JOIN thread_name n ON n.thread_id = t.id"
	" WHERE t.process_id = ?1 AND coalesce(t.start_ns, 0) <= m.ns"
	" AND (t.end_ns IS NULL OR t.end_ns > m.ns) GROUP BY t.id ORDER BY t.tid";

/* Who could end a wait, by the kind of its object. Every query gives process and thread; a thread of 0 means all of them. */
static const char whose_sql[] =
	/* A process that shares the description of a file lock since a fork is named without a thread; in a snapshot all that have one are. */
	"SELECT DISTINCT o.process_id, iif(l.kind = 'file' AND (o.process_id <> t.process_id"
	" OR (SELECT backend FROM trace) = 'snapshot'), 0, o.thread_id) FROM holder o JOIN lock l ON l.id = o.lock_id"
	" JOIN thread t ON t.id = o.thread_id WHERE o.lock_id = ?1"
	/* A thread that upgrades its own shared lock to exclusive does not block itself. */
	" AND NOT (?2 = 'u' AND o.process_id = (SELECT process_id FROM thread WHERE id = ?3))"
	" ORDER BY o.thread_id, 2 DESC";
static const char ends_sql[] =
	"SELECT DISTINCT e.process_id, 0 FROM standing_end e JOIN pipe p ON p.id = e.pipe_id"
	" WHERE e.pipe_id = ?1 AND (CASE WHEN p.kind IN ('socketpair', 'unix', 'tcp', 'pty')"
	" THEN e.side <> ?3 ELSE (instr(?2, 'r') AND instr(e.mode, 'w'))"
	" OR (instr(?2, 'w') AND instr(e.mode, 'r')) END)"
	" ORDER BY 1";

sqlite3_stmt *why_prepare(const struct why_source *src, const char *sql, int64_t id)
{
	sqlite3_stmt *stmt = NULL;

	if (query_open(src->db, sql, &stmt, src->why) == 0)
		query_bind_int(stmt, 1, id);
	return stmt;
}

bool why_next(const struct why_source *src, sqlite3_stmt *stmt)
{
	return stmt && query_step(stmt, src->why) > 0;
}

int why_source_init(struct why_source *src)
{
	/* One transaction: a recording that grows meanwhile does not change between two questions. */
	int rc = query_exec(src->db, "PRAGMA query_only = 0; SAVEPOINT why", src->why);

	for (size_t i = 0; !rc && tables_sql[i]; i++) {
		_cleanup_stmt_ sqlite3_stmt *stmt = why_prepare(src, tables_sql[i], src->at_ns);

		rc = stmt ? query_run(stmt, src->why) : -EIO;
	}
	return rc ? rc : query_exec(src->db, indexes_sql, src->why);
}

void why_source_done(const struct why_source *src)
{
	(void)sqlite3_exec(src->db, "ROLLBACK TO why; RELEASE why", NULL, NULL, NULL);
}

int64_t why_source_now(const struct why_source *src)
{
	return src->at_ns < INT64_MAX
		       ? src->at_ns
		       : query_number(src->db, "SELECT duration_ns FROM trace", 0, 0, src->why);
}

sqlite3_stmt *why_processes(const struct why_source *src)
{
	return why_prepare(src, processes_sql, 0);
}

static char *text_at(sqlite3_stmt *stmt, int column)
{
	return xstrdup((const char *)sqlite3_column_text(stmt, column));
}

static struct why_row row_at(sqlite3_stmt *stmt)
{
	struct why_row r = {.thread_id = sqlite3_column_int64(stmt, 0),
		.tid = sqlite3_column_int64(stmt, 1),
		.name = text_at(stmt, 2),
		.wait_id = sqlite3_column_int64(stmt, 3),
		.state = text_at(stmt, 4),
		.since_ns = sqlite3_column_int64(stmt, 5),
		.lock_id = sqlite3_column_int64(stmt, 6),
		.pipe_id = sqlite3_column_int64(stmt, 7),
		.target_process_id = sqlite3_column_int64(stmt, 8),
		.target_thread_id = sqlite3_column_int64(stmt, 9),
		.site_id = sqlite3_column_int64(stmt, 10),
		.syscall = text_at(stmt, 11),
		.detail = text_at(stmt, 12),
		.mode = text_at(stmt, 13),
		.side = sqlite3_column_int64(stmt, 14),
		.timed = sqlite3_column_int(stmt, 15),
		.stack_id = sqlite3_column_int64(stmt, 16),
		.is_housekeeping = sqlite3_column_int(stmt, 17) != 0};

	if (!r.state)
		r.state = xstrdup("runs");
	return r;
}

void why_rows_load(struct why_rows *rows, const struct why_source *src, int64_t process)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = why_prepare(src, threads_sql, process);

	while (why_next(src, stmt)) {
		ARRAY_GROW(rows->list, rows->n, rows->cap);
		rows->list[rows->n++] = row_at(stmt);
	}
}

void why_rows_done(struct why_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++) {
		free(rows->list[i].name);
		free(rows->list[i].state);
		free(rows->list[i].syscall);
		free(rows->list[i].detail);
		free(rows->list[i].mode);
	}
	free(rows->list);
	*rows = (struct why_rows){0};
}

static int add_whom(
	struct buf *out, const struct why_source *src, sqlite3_stmt *stmt, const char *between)
{
	int n = 0;

	while (why_next(src, stmt)) {
		if (n++)
			buf_adds(out, between);
		if (sqlite3_column_int64(stmt, 1))
			naming_thread_at(
				out, src->db, sqlite3_column_int64(stmt, 1), why_source_now(src));
		else
			naming_process_at(
				out, src->db, sqlite3_column_int64(stmt, 0), why_source_now(src));
	}
	return n;
}

static int add_ends(struct buf *out, const struct why_source *src, int64_t pipe, const char *mode,
	int64_t side, const char *between)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = why_prepare(src, ends_sql, pipe);

	if (stmt) {
		query_bind_text(stmt, 2, mode);
		query_bind_int(stmt, 3, side);
	}
	return add_whom(out, src, stmt, between);
}

int why_other_ends(
	struct buf *out, const struct why_source *src, int64_t pipe, const char *mode, int64_t side)
{
	return add_ends(out, src, pipe, mode, side, ", ");
}

int why_whom(
	struct buf *out, const struct why_source *src, const struct why_row *r, const char *between)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;

	if (r->pipe_id && !r->lock_id)
		return add_ends(out, src, r->pipe_id, r->mode, r->side, between);
	if (!r->lock_id)
		return 0;
	stmt = why_prepare(src, whose_sql, r->lock_id);
	if (stmt) {
		query_bind_text(stmt, 2, r->mode ? r->mode : "");
		query_bind_int(stmt, 3, r->thread_id);
	}
	return add_whom(out, src, stmt, between);
}

bool why_is_stopped_in_wait(const struct why_row *r)
{
	return r->detail && !strcmp(r->detail, "stopped");
}
