/* pipes.c - readers of pipes that had left. */
/* SPDX-License-Identifier: MIT */
#include "verdict/rules/rules.h"

#include "base/buf.h"
#include "verdict/naming.h"
#include "schema/query.h"

/* Who closed the last read end before the write failed. */
static const char broken_sql[] =
	"SELECT i.pipe_id, i.thread_id, min(i.end_ns), count(*), t.process_id,"
	" (SELECT e.process_id FROM pipe_end e WHERE e.pipe_id = i.pipe_id"
	"  AND CASE WHEN p.kind IN ('socketpair', 'unix', 'tcp', 'pty') THEN e.side <> i.side ELSE instr(e.mode, 'r') END"
	"  AND e.close_ns <= i.end_ns ORDER BY e.close_ns DESC LIMIT 1)"
	" FROM pipe_io i JOIN thread t ON t.id = i.thread_id JOIN pipe p ON p.id = i.pipe_id"
	" WHERE i.errno = 32 AND i.end_ns <= ?1 GROUP BY i.pipe_id, t.process_id"
	" ORDER BY min(i.end_ns)";

int rule_broken_pipe(struct rule_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	int rc = query_one(ctx->db, broken_sql, ctx->now_ns, &stmt, ctx->why);

	for (; rc > 0; rc = query_step(stmt, ctx->why)) {
		int64_t pipe = query_int(stmt, 0, 0), reader = query_int(stmt, 5, 0);
		struct finding_member *m;
		struct finding *f;

		naming_process(&b, ctx->db, query_int(stmt, 4, 0));
		buf_adds(&b, " wrote to ");
		naming_pipe(&b, ctx->db, pipe);
		buf_adds(&b, ", which nobody reads any more");
		f = rule_report(ctx, "broken-pipe", query_int(stmt, 2, 0), &b, NULL,
			"This is often intended (a reader such as head has seen enough); otherwise let the reader read to the end.");
		naming_thread(&b, ctx->db, query_int(stmt, 1, 0));
		buf_adds(&b, " got EPIPE at ");
		naming_time(&b, query_int(stmt, 2, 0));
		m = rule_member(f, &b);
		m->thread_id = query_int(stmt, 1, 0);
		m->process_id = query_int(stmt, 4, 0);
		m->pipe_id = pipe;
		if (!reader)
			continue;
		naming_process(&b, ctx->db, reader);
		buf_adds(&b, " was its last reader and has closed it or exited");
		m = rule_member(f, &b);
		m->process_id = reader;
		m->pipe_id = pipe;
	}
	return rc;
}
