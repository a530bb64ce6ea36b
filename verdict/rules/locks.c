/* locks.c - locks that are misused, or held for too long. */
/* SPDX-License-Identifier: MIT */
#include "verdict/rules/rules.h"

#include "base/buf.h"
#include "verdict/naming.h"
#include "schema/query.h"

/* A member about a thread and a lock at a place: "TEXT at x.c:3 (f)". text is emptied. */
static void add_member(struct rule_context *ctx, struct finding *f, struct buf *text,
	int64_t thread, int64_t lock, int64_t site)
{
	struct finding_member *m;

	naming_site(text, ctx->db, site);
	m = rule_member(f, text);
	m->thread_id = thread;
	m->lock_id = lock;
	m->site_id = site;
	m->process_id = query_number(
		ctx->db, "SELECT process_id FROM thread WHERE id = ?1", thread, 0, ctx->why);
}

/* "a[1] unlocked the mutex m, which it did not hold" */
static void add_deed(struct rule_context *ctx, struct buf *b, int64_t thread, const char *does,
	int64_t lock, const char *rest)
{
	naming_thread(b, ctx->db, thread);
	buf_adds(b, does);
	naming_lock(b, ctx->db, lock);
	buf_adds(b, rest);
}

static const char fork_sql[] =
	"SELECT w.thread_id, w.lock_id, o.thread_id, min(w.start_ns), w.site_id, o.site_id"
	" FROM lock_open o JOIN lock l ON l.id = o.lock_id JOIN thread h ON h.id = o.thread_id"
	" JOIN wait w ON w.lock_id = l.id AND w.reason = 'lock' AND w.start_ns <= ?1"
	" WHERE l.pshared = 0 AND l.process_id IS NOT NULL AND h.process_id <> l.process_id"
	" GROUP BY w.thread_id, w.lock_id"
	/* A semaphore that is used as a lock is held by who took it last. */
	" UNION ALL"
	" SELECT w.thread_id, w.lock_id, s.last_taker_id, min(w.start_ns), w.site_id, NULL"
	" FROM lock l JOIN lock_stat s ON s.lock_id = l.id JOIN thread h ON h.id = s.last_taker_id"
	" JOIN wait w ON w.lock_id = l.id AND w.reason = 'sem' AND w.start_ns <= ?1"
	"  AND w.thread_id <> s.last_taker_id"
	" WHERE l.origin_id IS NOT NULL AND l.kind = 'sem' AND l.pshared = 0 AND l.initial = 1"
	"  AND s.value = 0 AND s.foreign_posts = 0 AND h.process_id <> l.process_id"
	" GROUP BY w.thread_id, w.lock_id ORDER BY 4";

int rule_fork_with_lock(struct rule_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	int rc = query_one(ctx->db, fork_sql, ctx->now_ns, &stmt, ctx->why);

	for (; rc > 0; rc = query_step(stmt, ctx->why)) {
		int64_t waiter = query_int(stmt, 0, 0), lock = query_int(stmt, 1, 0);
		int64_t holder = query_int(stmt, 2, 0);
		struct finding *f;

		add_deed(ctx, &b, waiter, " wants the ", lock,
			", which another thread of its parent held at the fork");
		f = rule_report(ctx, "fork-with-lock-held", query_int(stmt, 3, 0), &b, NULL,
			"In the child of a program with threads call only exec or _exit, or take the"
			" locks in a pthread_atfork handler.");
		naming_thread(&b, ctx->db, waiter);
		buf_adds(&b, " waits for it");
		add_member(ctx, f, &b, waiter, lock, query_int(stmt, 4, 0));
		naming_thread(&b, ctx->db, holder);
		buf_adds(&b, " held the parent's");
		add_member(ctx, f, &b, holder, lock, query_int(stmt, 5, 0));
	}
	return rc;
}

static const char unlock_sql[] =
	"SELECT thread_id, lock_id, owner_id, min(ts_ns), site_id, count(*), max(errno)"
	" FROM lock_error WHERE kind = 'unlock' AND ts_ns <= ?1"
	" GROUP BY lock_id, thread_id, site_id ORDER BY min(ts_ns)";

int rule_unlock_not_owner(struct rule_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	int rc = query_one(ctx->db, unlock_sql, ctx->now_ns, &stmt, ctx->why);

	for (; rc > 0; rc = query_step(stmt, ctx->why)) {
		int64_t thread = query_int(stmt, 0, 0), lock = query_int(stmt, 1, 0);
		int64_t owner = query_int(stmt, 2, 0), n = query_int(stmt, 5, 1);
		struct finding *f;

		add_deed(ctx, &b, thread, " unlocked the ", lock, ", which it did not hold");
		f = rule_report(ctx, "unlock-not-owner", query_int(stmt, 3, 0), &b, NULL,
			"Only the thread that locked a mutex may unlock it; to tell another thread"
			" something use a condition variable or a semaphore.");
		naming_thread(&b, ctx->db, thread);
		buf_adds(&b, query_int(stmt, 6, 0) ? " was refused" : " unlocked it anyway");
		if (n > 1)
			buf_addf(&b, ", %lld times", (long long)n);
		add_member(ctx, f, &b, thread, lock, query_int(stmt, 4, 0));
		if (!owner)
			continue;
		naming_thread(&b, ctx->db, owner);
		buf_adds(&b, " held it");
		add_member(ctx, f, &b, owner, lock, 0);
	}
	return rc;
}

/*
 * A thread that is killed because its process exits may leave locks behind,
 * and one that ends just before that (the Java machine does so) harms nobody.
 * That the process went on shows in another thread that wanted this very lock
 * afterwards, or that blocked again after a second or more.
 */
static const char exit_sql[] =
	"SELECT o.thread_id, o.lock_id, t.end_ns, o.site_id, o.acquire_ns FROM lock_open o"
	" JOIN thread t ON t.id = o.thread_id JOIN process p ON p.id = t.process_id"
	" JOIN lock l ON l.id = o.lock_id"
	" WHERE t.end_ns <= ?1 AND t.cut_short IS NOT 1 AND o.inferred = 0 AND l.kind IN ('mutex', 'rwlock', 'spin')"
	" AND coalesce(l.type, '') NOT LIKE '%robust%'"
	" AND (l.process_id = p.id OR l.process_id IS NULL)"
	" AND (p.end_ns IS NULL OR p.end_ns > t.end_ns + 50000000)"
	" AND EXISTS (SELECT 1 FROM thread u JOIN wait w ON w.thread_id = u.id"
	"  WHERE u.process_id = p.id AND u.id <> t.id"
	"  AND (w.start_ns > t.end_ns + 1000000000 OR (w.lock_id = l.id"
	"   AND coalesce(w.end_ns, ?1) > t.end_ns + 50000000)))"
	" ORDER BY t.end_ns, o.thread_id, o.lock_id";

int rule_exit_holding(struct rule_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	int rc = query_one(ctx->db, exit_sql, ctx->now_ns, &stmt, ctx->why);

	for (; rc > 0; rc = query_step(stmt, ctx->why)) {
		int64_t thread = query_int(stmt, 0, 0), lock = query_int(stmt, 1, 0);
		struct finding *f;

		add_deed(ctx, &b, thread, " ended and left the ", lock, " locked");
		f = rule_report(ctx, "exit-holding-lock", query_int(stmt, 2, 0), &b, NULL,
			"Release the lock on every exit path (pthread_cleanup_push for"
			" cancellation), or make the mutex robust.");
		naming_thread(&b, ctx->db, thread);
		buf_adds(&b, " acquired it at ");
		naming_time(&b, query_int(stmt, 4, 0));
		add_member(ctx, f, &b, thread, lock, query_int(stmt, 3, 0));
	}
	return rc;
}

static const char sleep_sql[] =
	"SELECT s.thread_id, h.lock_id, min(s.start_ns), h.site_id, s.site_id,"
	" count(DISTINCT s.id), count(DISTINCT w.thread_id),"
	" max(min(coalesce(w.end_ns, ?1), s.end_ns) - max(w.start_ns, s.start_ns)), s.id"
	" FROM wait w CROSS JOIN wait_hold h ON h.lock_id = w.lock_id"
	" CROSS JOIN wait s ON s.id = h.wait_id"
	" WHERE w.lock_id IS NOT NULL AND w.reason = 'lock' AND w.thread_id <> s.thread_id"
	" AND w.start_ns < s.end_ns AND coalesce(w.end_ns, ?1) > s.start_ns AND s.end_ns <= ?1"
	" AND s.end_ns - s.start_ns >= 10000000"
	" GROUP BY h.lock_id, h.site_id, s.site_id ORDER BY min(s.start_ns)";

int rule_sleep_holding(struct rule_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	int rc = query_one(ctx->db, sleep_sql, ctx->now_ns, &stmt, ctx->why);

	for (; rc > 0; rc = query_step(stmt, ctx->why)) {
		int64_t thread = query_int(stmt, 0, 0), lock = query_int(stmt, 1, 0);
		struct finding *f;

		add_deed(ctx, &b, thread, " slept while it held the ", lock,
			", and others waited for it");
		f = rule_report(ctx, "sleep-holding-lock", query_int(stmt, 2, 0), &b, NULL,
			"Release the lock before sleeping; if the sleep waits for something, wait on a"
			" condition variable, which releases the mutex meanwhile.");
		buf_adds(&b, "the lock was acquired");
		add_member(ctx, f, &b, thread, lock, query_int(stmt, 3, 0));
		buf_adds(&b, "slept ");
		naming_count(&b, query_int(stmt, 5, 0), "time");
		buf_adds(&b, " meanwhile, and kept ");
		naming_count(&b, query_int(stmt, 6, 0), "other thread");
		buf_adds(&b, " waiting, for up to ");
		buf_add_duration(&b, query_int(stmt, 7, 0));
		add_member(ctx, f, &b, thread, lock, query_int(stmt, 4, 0));
		f->members[f->n_members - 1].wait_id = query_int(stmt, 8, 0);
	}
	return rc;
}

/* The five worst, if threads waited at least 10 ms and a hundredth of the time for it. */
static const char contention_sql[] =
	"SELECT lock_id, contended, holds, wait_ns, max_wait_ns, max_hold_ns, max_hold_site_id, threads"
	" FROM lock_stat WHERE contended > 0 AND wait_ns >= 10000000 AND wait_ns >= ?1 / 100"
	" ORDER BY wait_ns DESC, lock_id LIMIT 5";

int rule_contention(struct rule_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	int rc = query_one(ctx->db, contention_sql, ctx->now_ns, &stmt, ctx->why);

	for (; rc > 0; rc = query_step(stmt, ctx->why)) {
		int64_t lock = query_int(stmt, 0, 0);
		struct finding *f;

		buf_adds(&b, "threads waited ");
		buf_add_duration(&b, query_int(stmt, 3, 0));
		buf_adds(&b, " in all for the ");
		naming_lock(&b, ctx->db, lock);
		f = rule_report(ctx, "lock-contention", 0, &b, NULL,
			"Hold the lock for less, or split what it guards among several locks.");
		/* Where locks are known from their waits alone nobody saw who took it how often, or was killed in his wait. */
		if (query_int(stmt, 2, 0)) {
			naming_count(&b, query_int(stmt, 7, 0), "thread");
			buf_adds(&b, " took it ");
			naming_count(&b, query_int(stmt, 2, 0), "time");
			buf_adds(&b, ", ");
		} else {
			buf_adds(&b, "it was waited for ");
		}
		naming_count(&b, query_int(stmt, 1, 0), "time");
		buf_adds(&b,
			query_int(stmt, 2, 0) ? " after a wait (the longest " : " (the longest ");
		buf_add_duration(&b, query_int(stmt, 4, 0));
		buf_addc(&b, ')');
		if (query_int(stmt, 5, 0)) {
			buf_adds(&b, "; it was held for up to ");
			buf_add_duration(&b, query_int(stmt, 5, 0));
		}
		add_member(ctx, f, &b, 0, lock, query_int(stmt, 6, 0));
	}
	return rc ? rc : rule_polled(ctx);
}

/* The last signal before the wait, if there is none after it began: ?1 the wait. */
static const char wakeup_sql[] =
	"SELECT s.thread_id, s.start_ns, s.site_id, w.lock_id, w.thread_id, w.start_ns, w.site_id"
	" FROM wait w JOIN sync s ON s.lock_id = w.lock_id"
	" WHERE w.id = ?1 AND w.reason = 'cond' AND s.op IN ('signal', 'broadcast')"
	" AND s.thread_id <> w.thread_id AND s.value IS 0 AND s.start_ns < w.start_ns"
	" AND NOT EXISTS (SELECT 1 FROM sync n WHERE n.lock_id = w.lock_id"
	"  AND n.op IN ('signal', 'broadcast') AND n.start_ns > s.start_ns)"
	" ORDER BY s.start_ns DESC LIMIT 1";

static int lost_wakeup_of(struct rule_context *ctx, int64_t wait)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct finding *f;
	int64_t lock, waker, waiter;
	int rc = query_one(ctx->db, wakeup_sql, wait, &stmt, ctx->why);

	if (rc <= 0)
		return rc;
	waker = query_int(stmt, 0, 0);
	lock = query_int(stmt, 3, 0);
	waiter = query_int(stmt, 4, 0);
	add_deed(ctx, &b, waiter, " waits forever for the ", lock,
		", which was signalled before it waited");
	f = rule_report(ctx, "lost-wakeup", query_int(stmt, 5, 0), &b, NULL,
		"A condition variable remembers nothing: keep the state in a variable, change it and signal under"
		" the mutex, and test it in a loop around the wait.");
	naming_thread(&b, ctx->db, waker);
	buf_adds(&b, " signalled it at ");
	naming_time(&b, query_int(stmt, 1, 0));
	buf_adds(&b, ", when nobody waited,");
	add_member(ctx, f, &b, waker, lock, query_int(stmt, 2, 0));
	naming_thread(&b, ctx->db, waiter);
	buf_adds(&b, " has been waiting since ");
	naming_time(&b, query_int(stmt, 5, 0));
	add_member(ctx, f, &b, waiter, lock, query_int(stmt, 6, 0));
	f->members[f->n_members - 1].wait_id = wait;
	return 0;
}

/* Only for threads that nobody can wake any more: a worker at rest often finds that it was signalled too early. */
int rule_lost_wakeup(struct rule_context *ctx)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < ctx->stuck->n; i++)
		for (size_t k = 0; !rc && k < ctx->stuck->list[i].n_members; k++)
			if (ctx->stuck->list[i].members[k].wait_id)
				rc = lost_wakeup_of(ctx, ctx->stuck->list[i].members[k].wait_id);
	return rc;
}
