/* polled.c - locks that a thread asks for again and again instead of waiting for them. */
/* SPDX-License-Identifier: MIT */
#include "verdict/rules/rules.h"

#include "base/buf.h"
#include "schema/query.h"
#include "verdict/naming.h"

/* From the first question to the last sleep, of those that lasted a second. */
static const char polled_sql[] =
	"SELECT thread_id, lock_id, min(user_ns), max(coalesce(end_ns, ?1)) AS last, count(*), site_id"
	" FROM wait WHERE reason = 'lock-poll' AND start_ns <= ?1"
	" GROUP BY thread_id, lock_id HAVING last - min(user_ns) >= 1000000000"
	" ORDER BY last - min(user_ns) DESC, thread_id LIMIT 5";

static const char holders_sql[] =
	"SELECT o.thread_id, o.process_id, o.acquire_ns, o.site_id FROM lock_open o WHERE o.lock_id = ?1"
	" UNION SELECT h.thread_id, t.process_id, h.acquire_ns, h.site_id FROM lock_hold h"
	" JOIN thread t ON t.id = h.thread_id WHERE h.lock_id = ?1 AND h.release_ns IS NULL"
	" ORDER BY 3 LIMIT 4";

/* Who has it, or had it at the end. */
static int add_holders(struct rule_context *ctx, struct finding *f, int64_t lock)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	int rc = query_one(ctx->db, holders_sql, lock, &stmt, ctx->why);

	for (; rc > 0; rc = query_step(stmt, ctx->why)) {
		int64_t since = query_int(stmt, 2, 0);
		struct finding_member *m;

		naming_thread(&b, ctx->db, query_int(stmt, 0, 0));
		buf_adds(&b, since > 0 ? " has held it" : " holds it");
		if (since > 0) {
			buf_adds(&b, " since ");
			naming_time(&b, since);
		}
		naming_site(&b, ctx->db, query_int(stmt, 3, 0));
		m = rule_member(f, &b);
		m->thread_id = query_int(stmt, 0, 0);
		m->process_id = query_int(stmt, 1, 0);
		m->lock_id = lock;
		m->site_id = query_int(stmt, 3, 0);
	}
	return rc;
}

static int report(struct rule_context *ctx, sqlite3_stmt *stmt)
{
	int64_t thread = query_int(stmt, 0, 0), lock = query_int(stmt, 1, 0);
	int64_t first = query_int(stmt, 2, 0), last = query_int(stmt, 3, 0);
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct finding_member *m;
	struct finding *f;

	naming_thread(&b, ctx->db, thread);
	buf_adds(&b, " polled the ");
	naming_lock(&b, ctx->db, lock);
	buf_adds(&b, " for ");
	buf_add_duration(&b, last - first);
	buf_adds(&b, ", sleeping in between");
	f = rule_report(ctx, "lock-contention", first, &b, NULL,
		"Wait for the lock with a call that blocks: it returns when the lock is released.");
	naming_thread(&b, ctx->db, thread);
	buf_adds(&b, " slept ");
	naming_count(&b, query_int(stmt, 4, 0), "time");
	buf_adds(&b, " after a failed attempt");
	naming_site(&b, ctx->db, query_int(stmt, 5, 0));
	m = rule_member(f, &b);
	m->thread_id = thread;
	m->lock_id = lock;
	m->site_id = query_int(stmt, 5, 0);
	m->process_id = query_number(
		ctx->db, "SELECT process_id FROM thread WHERE id = ?1", thread, 0, ctx->why);
	return add_holders(ctx, f, lock);
}

int rule_polled(struct rule_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_one(ctx->db, polled_sql, ctx->now_ns, &stmt, ctx->why);

	while (rc > 0) {
		rc = report(ctx, stmt);
		if (!rc)
			rc = query_step(stmt, ctx->why);
	}
	return rc;
}
