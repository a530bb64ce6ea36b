/* busy.c - loops that keep a processor busy until another thread does something. */
/* SPDX-License-Identifier: MIT */
#include "verdict/rules/rules.h"

#include "base/buf.h"
#include "verdict/naming.h"
#include "schema/query.h"

/*
 * A loop that was left when another thread of the process had just woken up or
 * come to its end: that is what it asked for all the time. When exactly it was
 * left is known as well as samples come, which on a busy machine is seldom, and
 * there the other one may have waited for a processor between waking up and
 * doing it. One that was cut short in its loop did not find what it asked for.
 */
static const char busy_sql[] =
	"WITH doing(process, thread, at) AS ("
	"  SELECT t.process_id, t.id, w.end_ns FROM wait w JOIN thread t ON t.id = w.thread_id"
	"   WHERE w.end_ns - w.start_ns >= 10000000"
	"  UNION ALL SELECT process_id, id, end_ns FROM thread WHERE cut_short IS NOT 1)"
	"SELECT s.thread_id, t.process_id, s.site_id, s.start_ns, s.end_ns, s.cpu_ns, s.yields, s.tries,"
	" (SELECT d.thread FROM doing d WHERE d.process = t.process_id AND d.thread <> t.id"
	"   AND (abs(d.at - s.end_ns)"
	"     <= 20000000 + 5 * (s.end_ns - s.start_ns) / max(s.samples, s.tries, 1)"
	/* No sample came between the loop and the end of its thread. */
	"    OR (d.at BETWEEN s.end_ns AND t.end_ns AND t.end_ns < s.end_ns + 1000000000))"
	"   ORDER BY d.at LIMIT 1) AS other"
	" FROM spin s JOIN thread t ON t.id = s.thread_id"
	" WHERE s.end_ns <= ?1 AND s.cpu_ns >= 100000000 AND other IS NOT NULL"
	" AND NOT (t.cut_short IS 1 AND t.end_ns < s.end_ns + 100000000)"
	" ORDER BY s.start_ns, s.id";

static void report(struct rule_context *ctx, sqlite3_stmt *stmt)
{
	int64_t thread = query_int(stmt, 0, 0), process = query_int(stmt, 1, 0);
	int64_t site = query_int(stmt, 2, 0), tries = query_int(stmt, 7, 0),
		other = query_int(stmt, 8, 0);
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct finding_member *m;
	struct finding *f;

	naming_thread(&b, ctx->db, thread);
	buf_adds(&b, " used ");
	buf_add_duration(&b, query_int(stmt, 5, 0));
	buf_adds(&b, " of processor time in a loop until another thread did something");
	f = rule_report(ctx, "busy-wait", query_int(stmt, 3, 0), &b, NULL,
		"Let it sleep until then: join the thread, or wait on a condition or a semaphore.");
	buf_adds(&b, tries                   ? "the loop calls trylock, from "
		     : query_int(stmt, 6, 0) ? "the loop calls sched_yield, from "
					     : "the loop only looks at memory, from ");
	naming_time(&b, query_int(stmt, 3, 0));
	buf_adds(&b, " to ");
	naming_time(&b, query_int(stmt, 4, 0));
	naming_site(&b, ctx->db, site);
	m = rule_member(f, &b);
	m->thread_id = thread;
	m->process_id = process;
	m->site_id = site;
	buf_adds(&b, "it ended when ");
	naming_thread(&b, ctx->db, other);
	buf_adds(&b, " continued or finished");
	m = rule_member(f, &b);
	m->thread_id = other;
	m->process_id = process;
}

int rule_busy_wait(struct rule_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_one(ctx->db, busy_sql, ctx->now_ns, &stmt, ctx->why);

	for (; rc > 0; rc = query_step(stmt, ctx->why))
		report(ctx, stmt);
	return rc;
}
