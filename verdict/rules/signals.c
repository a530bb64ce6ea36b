/* signals.c - signals that were lost, calls that were interrupted. */
/* SPDX-License-Identifier: MIT */
#include "verdict/rules/rules.h"

#include "base/buf.h"
#include "verdict/naming.h"
#include "schema/query.h"

static void add_text(struct buf *b, sqlite3_stmt *stmt, int col)
{
	buf_add_printable(b, query_text(stmt, col), strlen(query_text(stmt, col)));
}

/* Who was told to end (SIGHUP, SIGINT, SIGQUIT, SIGTERM) and soon did so misses nothing. */
#define AND_NOT_TO_END                                                                             \
	" AND NOT (s.signo IN (1, 2, 3, 15) AND EXISTS (SELECT 1 FROM process e"                   \
	"  WHERE e.id = s.process_id"                                                              \
	"  AND e.end_ns <= coalesce(s.sent_ns, s.delivered_ns) + 10000000000))"

static const char lost_sql[] =
	"SELECT s.process_id, s.name, s.result, count(*), min(s.sent_ns), s.sender_id FROM signal s"
	" JOIN process p ON p.id = s.process_id"
	" WHERE s.result IN ('coalesced', 'ignored') AND s.sender_id IS NOT NULL AND s.sent_ns <= ?1"
	/* SIGKILL, SIGCONT and the stopping ones do not count: one is as good as many, and acts at once. */
	" AND s.signo NOT IN (9, 18, 19, 20, 21, 22)"
	/* A dying process takes no more signals, however long that lasts: only one that has said so ignores them. One that kills need not come twice. */
	" AND (s.result = 'coalesced' OR EXISTS (SELECT 1 FROM handler h WHERE h.process_id = s.process_id"
	"  AND h.signo = s.signo AND h.disposition = 'ignored' AND h.start_ns <= s.sent_ns"
	"  AND (h.end_ns IS NULL OR h.end_ns >= s.sent_ns)))"
	" AND NOT coalesce(p.end_kind = 'signal' AND p.exit_signal = s.signo, 0)" AND_NOT_TO_END
	/* SIGCHLD, SIGCONT, SIGURG and SIGWINCH are ignored unless somebody wants them. */
	" AND (s.result = 'coalesced' OR s.signo NOT IN (17, 18, 23, 28))"
	" GROUP BY s.process_id, s.signo, s.result ORDER BY min(s.sent_ns), s.process_id, s.signo";

int rule_lost_signal(struct rule_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	int rc = query_one(ctx->db, lost_sql, ctx->now_ns, &stmt, ctx->why);

	for (; rc > 0; rc = query_step(stmt, ctx->why)) {
		bool pending = !strcmp(query_text(stmt, 2), "coalesced");
		int64_t n = query_int(stmt, 3, 0);
		struct finding *f;

		buf_addf(&b, "%lld ", (long long)n);
		add_text(&b, stmt, 1);
		buf_adds(&b, n == 1 ? " to " : " signals to ");
		naming_process(&b, ctx->db, query_int(stmt, 0, 0));
		buf_adds(&b, n == 1 ? " was lost: " : " were lost: ");
		buf_adds(&b, pending ? "one was pending already" : "the receiver ignored it");
		f = rule_report(ctx, "lost-signal", query_int(stmt, 4, 0), &b, NULL,
			pending ? "Do not count signals: of several that are pending only one is"
				  " delivered. Use sigqueue with a real-time signal, or a pipe."
				: "Install a handler before others may send the signal.");
		naming_thread(&b, ctx->db, query_int(stmt, 5, 0));
		buf_adds(&b, " sent the first at ");
		naming_time(&b, query_int(stmt, 4, 0));
		rule_member(f, &b)->thread_id = query_int(stmt, 5, 0);
		naming_process(&b, ctx->db, query_int(stmt, 0, 0));
		buf_adds(&b, pending ? " still had an earlier one pending" : " ignored it");
		rule_member(f, &b)->process_id = query_int(stmt, 0, 0);
	}
	return rc;
}

/*
 * Calls that fail with EINTR whatever SA_RESTART (0x10000000) says. pause and sigsuspend are made to be interrupted, and
 * to whoever waits for several things (poll and its kind) a signal is one more of them.
 */
static const char interrupted_sql[] =
	"SELECT s.process_id, s.name, s.interrupted, count(*), min(s.delivered_ns), s.thread_id,"
	" s.handler_site_id FROM signal s"
	" WHERE s.disposition = 'handler' AND s.interrupted IS NOT NULL AND s.delivered_ns <= ?1"
	" AND s.interrupted NOT IN ('pause', 'rt_sigsuspend', 'sigsuspend', 'futex', 'poll', 'ppoll', 'select',"
	"  'pselect6', 'epoll_wait', 'epoll_pwait', 'epoll_pwait2')" AND_NOT_TO_END
	" AND (s.interrupted IN ('nanosleep', 'clock_nanosleep', 'rt_sigtimedwait', 'semop', 'semtimedop',"
	"   'msgrcv', 'msgsnd', 'io_getevents')"
	"  OR EXISTS (SELECT 1 FROM handler h WHERE h.process_id = s.process_id AND h.signo = s.signo"
	"   AND h.start_ns <= s.delivered_ns AND (h.end_ns IS NULL OR h.end_ns >= s.delivered_ns)"
	"   AND h.flags & 0x10000000 = 0))"
	" GROUP BY s.process_id, s.signo, s.interrupted ORDER BY min(s.delivered_ns), s.process_id";

int rule_interrupted(struct rule_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	int rc = query_one(ctx->db, interrupted_sql, ctx->now_ns, &stmt, ctx->why);

	for (; rc > 0; rc = query_step(stmt, ctx->why)) {
		int64_t n = query_int(stmt, 3, 0);
		struct finding_member *m;
		struct finding *f;

		naming_process(&b, ctx->db, query_int(stmt, 0, 0));
		buf_adds(&b, ": ");
		add_text(&b, stmt, 1);
		buf_adds(&b, " interrupted ");
		add_text(&b, stmt, 2);
		if (n > 1)
			buf_addf(&b, " %lld times", (long long)n);
		buf_adds(&b, " (EINTR)");
		f = rule_report(ctx, "interrupted-call", query_int(stmt, 4, 0), &b, NULL,
			"Repeat a call that fails with EINTR, or install the handler with SA_RESTART"
			" where that helps.");
		naming_thread(&b, ctx->db, query_int(stmt, 5, 0));
		buf_adds(&b, " ran the handler at ");
		naming_time(&b, query_int(stmt, 4, 0));
		naming_site(&b, ctx->db, query_int(stmt, 6, 0));
		m = rule_member(f, &b);
		m->thread_id = query_int(stmt, 5, 0);
		m->process_id = query_int(stmt, 0, 0);
		m->site_id = query_int(stmt, 6, 0);
	}
	return rc;
}
