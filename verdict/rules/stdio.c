/* stdio.c - output that sits in a buffer, or comes out of two. */
/* SPDX-License-Identifier: MIT */
#include "verdict/rules/rules.h"

#include "base/buf.h"
#include "verdict/naming.h"
#include "schema/query.h"

static void add_data(struct buf *b, sqlite3_stmt *stmt, int col)
{
	const char *data = sqlite3_column_blob(stmt, col);
	int len = sqlite3_column_bytes(stmt, col);

	if (len <= 0)
		return;
	buf_adds(b, " (\"");
	buf_add_printable(b, data, (size_t)len);
	buf_adds(b, "\")");
}

static const char unflushed_sql[] =
	"SELECT pipe_id, fd, pending, data, ts_ns, thread_id FROM stdio WHERE process_id = ?1"
	" AND at = 'stuck' AND pending > 0 AND pipe_id IS NOT NULL"
	" GROUP BY fd HAVING ts_ns = max(ts_ns) ORDER BY fd";

static int unflushed_of(struct rule_context *ctx, int64_t process)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	int rc = query_one(ctx->db, unflushed_sql, process, &stmt, ctx->why);

	for (; rc > 0; rc = query_step(stmt, ctx->why)) {
		struct finding_member *m;
		struct finding *f;

		naming_process(&b, ctx->db, process);
		buf_addf(&b, " has %lld unflushed bytes", (long long)query_int(stmt, 2, 0));
		buf_adds(&b, query_int(stmt, 1, -1) == 1 ? " for stdout" : " for a stream");
		buf_adds(&b, " while it is stuck");
		f = rule_report(ctx, "unflushed-output", query_int(stmt, 4, 0), &b, NULL,
			"Call fflush after each message that somebody waits for, or set the stream to"
			" line buffering (setvbuf).");
		buf_addf(&b, "%lld bytes for fd %lld, ", (long long)query_int(stmt, 2, 0),
			(long long)query_int(stmt, 1, 0));
		naming_pipe(&b, ctx->db, query_int(stmt, 0, 0));
		add_data(&b, stmt, 3);
		m = rule_member(f, &b);
		m->process_id = process;
		m->thread_id = query_int(stmt, 5, 0);
		m->pipe_id = query_int(stmt, 0, 0);
	}
	return rc;
}

int rule_unflushed(struct rule_context *ctx)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < ctx->stuck->n; i++) {
		const struct finding *f = &ctx->stuck->list[i];

		for (size_t k = 0; !rc && k < f->n_members; k++) {
			bool first = f->members[k].process_id != 0;

			for (size_t j = 0; j < k; j++)
				first = first &&
					f->members[j].process_id != f->members[k].process_id;
			if (first)
				rc = unflushed_of(ctx, f->members[k].process_id);
		}
	}
	return rc;
}

/*
 * What was buffered at a fork came out twice: the child (without an exec) and
 * the parent each had those bytes in the same stream when they ended, or wrote
 * them into the pipe afterwards. That it begins with the same bytes is enough:
 * both went on with the same buffer.
 */
static const char duplicated_sql[] =
	"SELECT f.process_id, c.id, f.fd, f.pipe_id, f.pending, f.data, f.ts_ns, f.thread_id"
	" FROM stdio f JOIN process c ON c.creator_id = f.thread_id AND c.start_ns >= f.ts_ns"
	" WHERE f.at = 'fork' AND f.pending > 0 AND length(f.data) > 0 AND f.ts_ns <= ?1"
	" AND c.id <> f.process_id AND c.start_ns = (SELECT min(d.start_ns) FROM process d"
	"  WHERE d.creator_id = f.thread_id AND d.start_ns >= f.ts_ns AND d.id <> f.process_id)"
	" AND NOT EXISTS (SELECT 1 FROM exec x WHERE x.process_id = c.id AND x.errno IS NULL)"
	" AND (EXISTS (SELECT 1 FROM stdio e WHERE e.process_id = c.id AND e.fd = f.fd"
	"   AND e.at = 'exit' AND e.pending >= f.pending"
	"   AND substr(e.data, 1, length(f.data)) = f.data)"
	"  OR EXISTS (SELECT 1 FROM pipe_io i JOIN thread t ON t.id = i.thread_id"
	"   WHERE t.process_id = c.id AND i.fd = f.fd AND i.op = 'write' AND i.bytes >= f.pending"
	"   AND substr(i.data, 1, length(f.data)) = f.data))"
	" AND (EXISTS (SELECT 1 FROM stdio e WHERE e.process_id = f.process_id AND e.fd = f.fd"
	"   AND e.at = 'exit' AND e.ts_ns >= c.start_ns AND e.pending >= f.pending"
	"   AND substr(e.data, 1, length(f.data)) = f.data)"
	"  OR EXISTS (SELECT 1 FROM pipe_io i JOIN thread t ON t.id = i.thread_id"
	"   WHERE t.process_id = f.process_id AND i.fd = f.fd AND i.op = 'write'"
	"   AND i.start_ns >= c.start_ns AND i.bytes >= f.pending"
	"   AND substr(i.data, 1, length(f.data)) = f.data))"
	" GROUP BY f.process_id, f.fd ORDER BY f.ts_ns, f.process_id, f.fd";

int rule_duplicated(struct rule_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	int rc = query_one(ctx->db, duplicated_sql, ctx->now_ns, &stmt, ctx->why);

	for (; rc > 0; rc = query_step(stmt, ctx->why)) {
		struct finding_member *m;
		struct finding *f;

		buf_addf(&b, "%lld buffered bytes were written both by ",
			(long long)query_int(stmt, 4, 0));
		naming_process(&b, ctx->db, query_int(stmt, 0, 0));
		buf_adds(&b, " and by its child ");
		naming_process(&b, ctx->db, query_int(stmt, 1, 0));
		f = rule_report(ctx, "duplicated-output", query_int(stmt, 6, 0), &b, NULL,
			"Call fflush before fork, or end the child with _exit, which leaves the copied"
			" buffers alone.");
		naming_process(&b, ctx->db, query_int(stmt, 0, 0));
		buf_addf(&b, " forked with them in the buffer of fd %lld",
			(long long)query_int(stmt, 2, 0));
		add_data(&b, stmt, 5);
		m = rule_member(f, &b);
		m->process_id = query_int(stmt, 0, 0);
		m->thread_id = query_int(stmt, 7, 0);
		m->pipe_id = query_int(stmt, 3, 0);
		naming_process(&b, ctx->db, query_int(stmt, 1, 0));
		buf_adds(&b, " flushed its copy when it ended");
		rule_member(f, &b)->process_id = query_int(stmt, 1, 0);
	}
	return rc;
}
