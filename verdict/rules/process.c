/* process.c - zombies, orphans, crashes, threads killed by exit. */
/* SPDX-License-Identifier: MIT */
#include "verdict/rules/rules.h"

#include "base/buf.h"
#include "verdict/naming.h"
#include "schema/query.h"

enum { MEMBERS_MAX = 100 };

/* "ended at 0.1 s, status 0" */
static void add_end(struct buf *b, struct rule_context *ctx, int64_t process_id)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;

	if (query_one(ctx->db,
		    "SELECT end_ns, end_kind, exit_code, exit_signal FROM process WHERE id = ?1",
		    process_id, &stmt, ctx->why) != 1 ||
		query_null(stmt, 0)) {
		buf_adds(b, "still running");
		return;
	}
	buf_adds(b, "ended at ");
	naming_time(b, query_int(stmt, 0, 0));
	if (!strcmp(query_text(stmt, 1), "signal")) {
		buf_adds(b, ", killed by ");
		naming_signal(b, (int)query_int(stmt, 3, 0));
	} else if (!query_null(stmt, 2)) {
		buf_addf(b, ", status %lld", (long long)query_int(stmt, 2, 0));
	}
}

/* Who waited for it when it ended reaped it as soon as a processor was there for that, however long that took. */
static const char zombie_sql[] =
	"SELECT q.id, p.id, p.end_ns, min(coalesce(p.reaped_ns, ?1), coalesce(q.end_ns, ?1), ?1),"
	" p.reaped_ns IS NOT NULL AND p.reaped_ns <= ?1"
	" FROM process p JOIN process q ON q.id = p.parent_id"
	" WHERE p.end_ns <= ?1 AND p.autoreap IS NOT 1"
	" AND min(coalesce(p.reaped_ns, ?1), coalesce(q.end_ns, ?1), ?1) - p.end_ns >= 1000000000"
	" AND NOT EXISTS (SELECT 1 FROM wait w WHERE w.thread_id = p.reaper_id AND w.reason = 'child'"
	"  AND w.start_ns <= p.end_ns AND coalesce(w.end_ns, ?1) >= p.end_ns"
	"  AND coalesce(w.target_process_id, p.id) = p.id)"
	" ORDER BY q.id, p.end_ns, p.id";

/* ", its SIGCHLD was merged with another": a second one that comes while the first is pending is not kept. */
static void add_merged(struct rule_context *ctx, struct buf *b, int64_t parent, int64_t end_ns)
{
	static const char sql[] =
		"SELECT 1 FROM signal WHERE process_id = ?1 AND signo = 17 AND result = 'coalesced'"
		" AND sent_ns BETWEEN ?2 - 1000000 AND ?2 + 100000000 LIMIT 1";

	if (query_pair(ctx->db, sql, parent, end_ns, 0, ctx->why))
		buf_adds(b, "; its SIGCHLD was merged with one that was pending");
}

static void name_zombies(
	struct rule_context *ctx, struct finding *f, int64_t parent, int64_t n, int64_t longest)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (n == 1)
		naming_process(&b, ctx->db, f->members[1].process_id);
	else
		buf_addf(&b, "%lld processes", (long long)n);
	buf_addf(&b, " had ended and %s not reaped by ", n == 1 ? "was" : "were");
	naming_process(&b, ctx->db, parent);
	buf_adds(&b, n == 1 ? " for " : " for up to ");
	buf_add_duration(&b, longest);
	finding_set(&f->summary, &b);
}

int rule_zombie(struct rule_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	int64_t parent = 0, n = 0, longest = 0;
	struct finding *f = NULL;
	int rc = query_one(ctx->db, zombie_sql, ctx->now_ns, &stmt, ctx->why);

	for (; rc > 0; rc = query_step(stmt, ctx->why)) {
		int64_t lasted = query_int(stmt, 3, 0) - query_int(stmt, 2, 0);

		if (!f || query_int(stmt, 0, 0) != parent) {
			if (f)
				name_zombies(ctx, f, parent, n, longest);
			parent = query_int(stmt, 0, 0);
			n = longest = 0;
			f = rule_report(ctx, "zombie", query_int(stmt, 2, 0), &b, NULL,
				"Call wait or waitpid for every child, or ignore SIGCHLD so that the"
				" kernel reaps them.");
			naming_process(&b, ctx->db, parent);
			buf_adds(&b, ", the parent, did not wait for them when they ended");
			rule_member(f, &b)->process_id = parent;
		}
		longest = lasted > longest ? lasted : longest;
		if (n++ >= MEMBERS_MAX)
			continue;
		naming_process(&b, ctx->db, query_int(stmt, 1, 0));
		buf_addc(&b, ' ');
		add_end(&b, ctx, query_int(stmt, 1, 0));
		buf_adds(&b, query_int(stmt, 4, 0) ? ", reaped after " : ", a zombie for ");
		buf_add_duration(&b, lasted);
		add_merged(ctx, &b, parent, query_int(stmt, 2, 0));
		rule_member(f, &b)->process_id = query_int(stmt, 1, 0);
	}
	if (f)
		name_zombies(ctx, f, parent, n, longest);
	return rc;
}

static const char orphan_sql[] =
	"SELECT q.id, p.id, q.end_ns FROM process p JOIN process q ON q.id = p.parent_id"
	" WHERE q.end_ns <= ?1 AND (p.end_ns IS NULL OR p.end_ns > q.end_ns) AND p.start_ns <= ?1"
	/* A family that is killed together dies one after the other; of the last of it nobody may have seen the end. */
	" AND NOT (q.end_kind IS 'signal' AND p.exit_code IS NULL"
	"  AND coalesce(p.end_ns, (SELECT duration_ns FROM trace)) < q.end_ns + 1000000000)"
	/* Nor does one keep running that somebody killed before its parent ended, or whose terminal ended with the parent. */
	" AND NOT (p.end_kind IS 'signal' AND (p.end_ns < q.end_ns + 100000000"
	"  OR EXISTS (SELECT 1 FROM signal s WHERE s.process_id = p.id AND s.signo = p.exit_signal"
	"   AND s.sent_ns <= q.end_ns AND s.result IS NOT 'ignored'"
	"   AND (s.disposition IS NULL OR s.disposition = 'default'))))"
	" ORDER BY q.id, p.id";

int rule_orphan(struct rule_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	int64_t parent = 0, n = 0;
	struct finding *f = NULL;
	int rc = query_one(ctx->db, orphan_sql, ctx->now_ns, &stmt, ctx->why);

	for (; rc > 0; rc = query_step(stmt, ctx->why)) {
		if (!f || query_int(stmt, 0, 0) != parent) {
			parent = query_int(stmt, 0, 0);
			n = 0;
			f = rule_report(ctx, "orphan", query_int(stmt, 2, 0), &b, NULL,
				"Wait for the children before the parent ends, if somebody needs their"
				" status.");
			naming_process(&b, ctx->db, parent);
			buf_adds(&b, ", the parent, ");
			add_end(&b, ctx, parent);
			rule_member(f, &b)->process_id = parent;
		}
		n++;
		naming_process(&b, ctx->db, parent);
		buf_adds(&b, " ended before ");
		if (n == 1)
			naming_process(&b, ctx->db, query_int(stmt, 1, 0));
		else
			buf_addf(&b, "%lld of its children", (long long)n);
		finding_set(&f->summary, &b);
		if (n > MEMBERS_MAX)
			continue;
		naming_process(&b, ctx->db, query_int(stmt, 1, 0));
		buf_adds(&b, " kept running: ");
		add_end(&b, ctx, query_int(stmt, 1, 0));
		rule_member(f, &b)->process_id = query_int(stmt, 1, 0);
	}
	return rc;
}

/*
 * Faults, and abort(), which sends SIGABRT to its own thread. A recording
 * without eBPF does not see who sent a signal from outside: SIGQUIT and the
 * limits are left out there.
 */
static const char crash_sql[] =
	"SELECT p.id, p.exit_signal, p.end_ns, p.core_dumped FROM process p, trace t"
	" WHERE p.end_kind = 'signal' AND p.end_ns <= ?1"
	" AND (p.exit_signal IN (4, 5, 6, 7, 8, 11, 31)"
	"      OR (p.exit_signal IN (3, 24, 25) AND t.backend LIKE '%ebpf%'))"
	" AND NOT EXISTS (SELECT 1 FROM signal s LEFT JOIN thread h ON h.id = s.sender_id"
	"  WHERE s.process_id = p.id AND s.signo = p.exit_signal"
	"  AND (s.source = 'tty' OR (s.source IN ('kill', 'queue', 'thread')"
	"   AND NOT (s.signo = 6 AND h.process_id IS p.id))))"
	" ORDER BY p.end_ns, p.id";

int rule_crash(struct rule_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	int rc = query_one(ctx->db, crash_sql, ctx->now_ns, &stmt, ctx->why);

	for (; rc > 0; rc = query_step(stmt, ctx->why)) {
		int64_t id = query_int(stmt, 0, 0);
		int signo = (int)query_int(stmt, 1, 0);
		struct finding *f;

		naming_process(&b, ctx->db, id);
		buf_adds(&b, signo == 6 ? " aborted (" : " crashed (");
		naming_signal(&b, signo);
		buf_adds(&b, ") at ");
		naming_time(&b, query_int(stmt, 2, 0));
		f = rule_report(ctx, "crash", query_int(stmt, 2, 0), &b, NULL,
			query_int(stmt, 3, 0)
				? "Open its core file in a debugger, or give it to pptrace why, to find the place; a build with"
				  " -fsanitize=address,undefined often names the cause."
				: "Run it under a debugger, or once more with ulimit -c unlimited for a core file, to find the place; a build"
				  " with -fsanitize=address,undefined often names the cause.");
		naming_process(&b, ctx->db, id);
		buf_addc(&b, ' ');
		add_end(&b, ctx, id);
		buf_adds(&b,
			query_int(stmt, 3, 0) ? "; it left a core file" : "; it left no core file");
		rule_member(f, &b)->process_id = id;
	}
	return rc;
}

/*
 * Threads that were cut short as their process ended, with the wait in which
 * that met them. Where the recording does not say who was: those whose last
 * wait came to its end with that of the main thread, and that nobody joined.
 */
static const char main_exit_sql[] =
	/* Who ended each process: the thread that ended by itself, and last. */
	"WITH ended(process_id, ns) AS MATERIALIZED"
	" (SELECT process_id, max(end_ns) FROM thread WHERE cut_short = 0 GROUP BY process_id)"
	"SELECT p.id, t.id, m.end_ns, w.reason, w.site_id, w.id,"
	/* What was over a moment before may have ended by itself, or by the end of the process. */
	" w.end_ns IS NULL OR w.end_ns >= coalesce(x.ns, m.end_ns) OR w.end_ns >= t.end_ns"
	" FROM process p"
	" JOIN thread m ON m.process_id = p.id AND m.is_main"
	" JOIN thread t ON t.process_id = p.id AND NOT t.is_main"
	" LEFT JOIN ended x ON x.process_id = p.id"
	/* A thread is killed in the wait that its own end ends: the main thread's may be much earlier or later. */
	" LEFT JOIN wait w ON w.thread_id = t.id AND w.start_ns < coalesce(t.end_ns, m.end_ns)"
	"  AND (w.end_ns IS NULL OR w.end_ns >= x.ns"
	"   OR w.end_ns >= coalesce(t.end_ns, m.end_ns) - 1000000)"
	" WHERE p.end_kind = 'exit' AND p.end_ns <= ?1"
	/* An exec ends the other threads too, and on purpose. */
	" AND NOT EXISTS (SELECT 1 FROM exec x WHERE x.process_id = p.id AND x.errno IS NULL"
	"  AND x.ts_ns >= t.end_ns AND x.ts_ns <= t.end_ns + 1000000000)"
	/* That Java, Node.js, Ruby and OpenMP end while threads of theirs are still there (daemons, workers) is how they are used. */
	" AND NOT EXISTS (SELECT 1 FROM thread_start e WHERE e.thread_id = t.id"
	"  AND e.runtime IN ('java', 'node', 'ruby', 'openmp'))"
	/*
	 * Nor can the program join the threads of a library of the system, other than one that runs the program's functions in
	 * them.
	 */
	" AND NOT EXISTS (SELECT 1 FROM site s WHERE s.id = t.entry_site_id"
	"  AND (s.module GLOB '/usr/lib*/*.so*' OR s.module GLOB '/lib*/*.so*')"
	"  AND s.module NOT GLOB '*/libstdc++.so*' AND s.module NOT GLOB '*/libc++.so*'"
	"  AND s.module NOT GLOB '*/libpython*' AND s.module NOT GLOB '*/libglib-2.0.so*'"
	"  AND s.module NOT GLOB '*/libc.so*' AND s.module NOT GLOB '*/libpthread*.so*'"
	"  AND s.module NOT GLOB '*/libQt[0-9]Core.so*' AND s.module NOT GLOB '*/libstd-*.so')"
	/* Python knows that a thread is at its end before the kernel does: one that runs may have been joined. */
	" AND NOT (w.id IS NULL AND EXISTS (SELECT 1 FROM thread_start e WHERE e.thread_id = t.id"
	"  AND e.runtime = 'python'))"
	/*
	 * A worker at rest, or one that only wants a lock, loses nothing, unless it holds one. At rest is also who waits for a
	 * byte in a pipe into which its own process alone writes.
	 */
	" AND NOT ((coalesce(w.reason, '') IN ('cond', 'sem', 'futex', 'poll', 'signal', 'barrier', 'eventfd', 'socket', 'lock')"
	"   OR (coalesce(w.reason, '') = 'pipe-read' AND w.pipe_id IS NOT NULL"
	"    AND NOT EXISTS (SELECT 1 FROM pipe_end e WHERE e.pipe_id = w.pipe_id AND e.process_id <> p.id"
	"     AND e.mode <> 'r' AND (e.close_ns IS NULL OR e.close_ns >= m.end_ns))))"
	"  AND NOT EXISTS (SELECT 1 FROM lock_open o WHERE o.thread_id = t.id))"
	" AND (t.cut_short = 1 OR (t.cut_short IS NULL AND p.end_ns - m.end_ns <= 50000000"
	"  AND t.end_ns >= m.end_ns - 1000000"
	"  AND w.start_ns < m.end_ns - 1000000"
	"  AND NOT EXISTS (SELECT 1 FROM wait j WHERE j.reason = 'join'"
	"   AND j.target_thread_id = t.id AND j.end_ns < m.end_ns)"
	"  AND NOT EXISTS (SELECT 1 FROM sync s WHERE s.op = 'join' AND s.target_id = t.id"
	"   AND s.result = 0)))"
	" ORDER BY +p.id, +t.id, w.start_ns DESC"; /* not by rowid: that would read all threads for each process */

int rule_main_exit(struct rule_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	int64_t process = 0, thread = 0, n = 0;
	struct finding *f = NULL;
	int rc = query_one(ctx->db, main_exit_sql, ctx->now_ns, &stmt, ctx->why);

	for (; rc > 0; rc = query_step(stmt, ctx->why)) {
		struct finding_member *m;
		bool in_wait;

		if (query_int(stmt, 1, 0) == thread)
			continue;
		thread = query_int(stmt, 1, 0);
		if (!f || query_int(stmt, 0, 0) != process) {
			process = query_int(stmt, 0, 0);
			n = 0;
			f = rule_report(ctx, "main-exit-kills-threads", query_int(stmt, 2, 0), &b,
				NULL,
				"Join the threads before main returns, or end main with pthread_exit.");
		}
		n++;
		naming_process(&b, ctx->db, process);
		buf_adds(&b, " ended while ");
		naming_count(&b, n, "thread");
		buf_addf(&b, " of it %s still running", n == 1 ? "was" : "were");
		finding_set(&f->summary, &b);
		if (n > MEMBERS_MAX)
			continue;
		naming_thread(&b, ctx->db, thread);
		in_wait = query_int(stmt, 5, 0) && query_int(stmt, 6, 0);
		if (in_wait) {
			buf_adds(&b, " was killed while waiting (");
			buf_add_printable(&b, query_text(stmt, 3), strlen(query_text(stmt, 3)));
			buf_addc(&b, ')');
			naming_site(&b, ctx->db, query_int(stmt, 4, 0));
		} else {
			buf_adds(&b,
				query_int(stmt, 5, 0) ? " was killed" : " was killed while it ran");
		}
		m = rule_member(f, &b);
		m->thread_id = thread;
		m->process_id = process;
		m->site_id = in_wait ? query_int(stmt, 4, 0) : 0;
		m->wait_id = in_wait ? query_int(stmt, 5, 0) : 0;
	}
	return rc;
}
