/* pipes.c - ends that were kept open, readers that had left. */
/* SPDX-License-Identifier: MIT */
#include "verdict/rules/rules.h"

#include "base/buf.h"
#include "verdict/describe.h"
#include "schema/query.h"

/*
 * A reader waits for the end of a pipe that has no writer any more: all who
 * ever wrote to it have closed it. Whoever still holds a write end, and never
 * writes to it, keeps the end-of-file away. The same the other way round for a
 * writer on a full pipe that nobody reads.
 *
 * A process that has the end as its standard output, and whose children write,
 * is no leak: a shell does so for a group of commands. It is one only if it is
 * the waiter itself.
 *
 * Waits count if they were open at the end, were broken off by a signal, or
 * ended with end-of-file, and lasted 100 ms after the last user had gone.
 */
static const char waits_sql[] =
	"WITH long AS MATERIALIZED (SELECT w.*, t.process_id, p.end_kind AS how, p.end_ns AS gone"
	"  FROM wait w JOIN thread t ON t.id = w.thread_id JOIN process p ON p.id = t.process_id"
	"  WHERE w.reason IN ('pipe-read', 'pipe-write') AND w.pipe_id IS NOT NULL"
	"  AND w.start_ns < ?1 AND min(coalesce(w.end_ns, ?1), ?1) - w.start_ns >= 100000000),"
	/* One pass over all that was read, for all waits together: most reads are no end-of-file. */
	" ended AS MATERIALIZED (SELECT w.id FROM pipe_io i CROSS JOIN long w ON w.thread_id = i.thread_id"
	"  WHERE EXISTS (SELECT 1 FROM long) AND i.bytes = 0 AND i.op = 'read' AND i.pipe_id = w.pipe_id"
	"   AND i.start_ns <= w.end_ns AND i.end_ns >= w.end_ns AND i.start_ns >= w.start_ns - 1000000)"
	"SELECT w.id, w.thread_id, w.process_id, w.pipe_id, w.reason = 'pipe-write', w.start_ns,"
	" min(coalesce(w.end_ns, ?1), ?1), w.site_id FROM long w"
	" WHERE (w.end_ns IS NULL OR w.end_ns > ?1"
	"  OR (w.how = 'signal' AND w.gone - w.end_ns < 1000000000)"
	"  OR w.id IN (SELECT id FROM ended))"
	" UNION ALL"
	" SELECT w.id, w.thread_id, t.process_id, o.pipe_id, o.mode = 'w', w.start_ns, ?1, w.site_id"
	" FROM wait w JOIN wait_on o ON o.wait_id = w.id JOIN thread t ON t.id = w.thread_id"
	" WHERE w.reason = 'poll' AND w.timed = 0 AND w.end_ns IS NULL AND o.pipe_id IS NOT NULL"
	" AND ?1 - w.start_ns >= 100000000"
	" ORDER BY 1";

/*
 * Who ever used a pipe in one direction, as a JSON array: found once, for all
 * that wait on it. Parameters as below.
 */
static const char users_sql[] =
	"SELECT json_group_array(DISTINCT t.process_id) FROM"
	" (SELECT DISTINCT i.thread_id FROM pipe_io i WHERE i.pipe_id = ?1 AND i.op = ?3"
	"  AND i.bytes > 0) u JOIN thread t ON t.id = u.thread_id";

/* Parameters: 1 pipe, 2 the moment, 3 'write' or 'read', 4 'w' or 'r', 5 the waiter's process, 6 the users. */
#define USERS "users AS (SELECT value AS p FROM json_each(?6))"
static const char last_user_sql[] =
	"WITH " USERS
	" SELECT max(e.close_ns), min(e.close_ns IS NOT NULL AND e.close_ns < ?2), count(*)"
	" FROM pipe_end e WHERE e.pipe_id = ?1 AND instr(e.mode, ?4) AND e.open_ns <= ?2"
	" AND e.process_id IN users";
static const char holders_sql[] =
	"WITH RECURSIVE " USERS ","
	" above(p) AS (SELECT q.parent_id FROM process q WHERE q.id IN users UNION"
	"  SELECT q.parent_id FROM process q JOIN above a ON q.id = a.p WHERE q.parent_id IS NOT NULL)"
	" SELECT e.process_id, min(e.fd), max(e.fd <= 2 AND e.process_id <> ?5"
	"  AND e.process_id IN above), min(e.open_ns), e.open_via"
	" FROM pipe_end e WHERE e.pipe_id = ?1 AND instr(e.mode, ?4) AND e.open_ns < ?2"
	" AND (e.close_ns IS NULL OR e.close_ns >= ?2)"
	" GROUP BY e.process_id ORDER BY e.process_id";
#undef USERS

/* The processes that used one direction of a pipe. */
struct pipe_users {
	int64_t pipe;
	bool write; /* the waiter writes: these are readers */
	char *json;
};

struct pipe_users_list {
	struct pipe_users *list;
	size_t n, cap;
};

static void users_cleanup(struct pipe_users_list *u)
{
	for (size_t i = 0; i < u->n; i++)
		free(u->list[i].json);
	free(u->list);
}

struct stuck_end {
	int64_t wait, thread, process, pipe, start_ns, end_ns, site;
	bool write;
	const char *users; /* JSON */
};

static int open_about(
	struct rule_context *ctx, const char *sql, const struct stuck_end *w, sqlite3_stmt **ret)
{
	int rc = query_open(ctx->db, sql, ret, ctx->why);

	if (rc)
		return rc;
	(void)sqlite3_bind_int64(*ret, 1, w->pipe);
	(void)sqlite3_bind_int64(*ret, 2, w->end_ns);
	(void)sqlite3_bind_text(*ret, 3, w->write ? "read" : "write", -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(*ret, 4, w->write ? "r" : "w", -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(*ret, 5, w->process);
	(void)sqlite3_bind_text(*ret, 6, w->users, -1, SQLITE_STATIC);
	return 0;
}

/* Fills in who used the other end of the pipe. */
static int find_users(struct rule_context *ctx, struct pipe_users_list *u, struct stuck_end *w)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc;

	for (size_t i = 0; i < u->n; i++)
		if (u->list[i].pipe == w->pipe && u->list[i].write == w->write) {
			w->users = u->list[i].json;
			return 0;
		}
	w->users = "[]";
	rc = open_about(ctx, users_sql, w, &stmt);
	if (!rc)
		rc = query_step(stmt, ctx->why);
	if (rc < 0)
		return rc;
	ARRAY_GROW(u->list, u->n, u->cap);
	u->list[u->n] = (struct pipe_users){w->pipe, w->write, xstrdup(query_text(stmt, 0))};
	w->users = u->list[u->n++].json;
	return 0;
}

/* Returns 1 if everybody who used the other end has gone for long enough. */
static int users_have_left(struct rule_context *ctx, const struct stuck_end *w)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int64_t since;
	int rc = open_about(ctx, last_user_sql, w, &stmt);

	if (!rc)
		rc = query_step(stmt, ctx->why);
	if (rc <= 0)
		return rc;
	since = query_int(stmt, 0, 0);
	if (!query_int(stmt, 1, 0) || !query_int(stmt, 2, 0))
		return 0;
	return w->end_ns - (since > w->start_ns ? since : w->start_ns) >= 100000000;
}

static void report_leak(struct rule_context *ctx, const struct stuck_end *w)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct finding_member *m;
	struct finding *f;

	describe_pipe(&b, ctx->db, w->pipe);
	buf_adds(&b, w->write ? ": nobody reads from it any more, but "
			      : ": all writers have left, but ");
	describe_thread(&b, ctx->db, w->thread);
	buf_adds(&b, w->write ? " does not notice" : " sees no end-of-file");
	f = rule_report(ctx, "pipe-end-leak", w->start_ns, &b, NULL,
		"Close every end that a process does not use, right after fork; or make it"
		" close-on-exec (pipe2 with O_CLOEXEC).");
	describe_thread(&b, ctx->db, w->thread);
	buf_adds(&b, w->write ? " waits for room" : " waits for data or end-of-file");
	buf_adds(&b, " since ");
	describe_time(&b, w->start_ns);
	describe_site(&b, ctx->db, w->site);
	m = rule_member(f, &b);
	m->thread_id = w->thread;
	m->process_id = w->process;
	m->pipe_id = w->pipe;
	m->site_id = w->site;
	m->wait_id = w->wait;
}

static int check_leak(struct rule_context *ctx, const struct stuck_end *w)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct finding *f;
	size_t n = 0;
	int rc = users_have_left(ctx, w);

	if (rc <= 0)
		return rc;
	rc = open_about(ctx, holders_sql, w, &stmt);
	while (!rc && (rc = query_step(stmt, ctx->why)) > 0) {
		if (query_int(stmt, 2, 0))
			return 0;
		rc = 0;
		n++;
	}
	if (rc || !n)
		return rc;
	report_leak(ctx, w);
	f = &ctx->out->list[ctx->out->n - 1];
	(void)sqlite3_reset(stmt);
	while ((rc = query_step(stmt, ctx->why)) > 0) {
		struct finding_member *m;
		const char *via = query_text(stmt, 4);

		describe_process(&b, ctx->db, query_int(stmt, 0, 0));
		buf_addf(&b, " keeps a %s end open (fd %lld", w->write ? "read" : "write",
			(long long)query_int(stmt, 1, -1));
		buf_adds(&b, !strcmp(via, "inherit") ? ", inherited at fork)" : ")");
		buf_addf(&b, " and never %s", w->write ? "reads" : "writes");
		m = rule_member(f, &b);
		m->process_id = query_int(stmt, 0, 0);
		m->pipe_id = w->pipe;
	}
	return rc;
}

/*
 * The moment to look at: when the wait ended, or, if that came about because
 * the last end was closed, then.
 */
static int64_t last_moment(struct rule_context *ctx, const struct stuck_end *w)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int64_t moment = w->end_ns;

	if (open_about(ctx,
		    "SELECT max(close_ns) FROM pipe_end e WHERE pipe_id = ?1 AND instr(mode, ?4)"
		    " AND close_ns <= ?2 AND NOT EXISTS (SELECT 1 FROM pipe_end o WHERE o.pipe_id = ?1"
		    "  AND instr(o.mode, ?4) AND o.open_ns <= ?2"
		    "  AND (o.close_ns IS NULL OR o.close_ns > ?2))",
		    w, &stmt) == 0 &&
		query_step(stmt, ctx->why) == 1)
		moment = query_int(stmt, 0, moment);
	return moment;
}

int rule_pipe_leak(struct rule_context *ctx)
{
	__attribute__((cleanup(users_cleanup))) struct pipe_users_list users = {0};
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_one(ctx->db, waits_sql, ctx->now_ns, &stmt, ctx->why);

	while (rc > 0) {
		struct stuck_end w = {.wait = query_int(stmt, 0, 0),
			.thread = query_int(stmt, 1, 0),
			.process = query_int(stmt, 2, 0),
			.pipe = query_int(stmt, 3, 0),
			.write = query_int(stmt, 4, 0) != 0,
			.start_ns = query_int(stmt, 5, 0),
			.end_ns = query_int(stmt, 6, 0),
			.site = query_int(stmt, 7, 0)};

		rc = find_users(ctx, &users, &w);
		w.end_ns = last_moment(ctx, &w);
		if (!rc)
			rc = check_leak(ctx, &w);
		if (!rc)
			rc = query_step(stmt, ctx->why);
	}
	return rc;
}

/* Who closed the last read end before the write failed. */
static const char broken_sql[] =
	"SELECT i.pipe_id, i.thread_id, min(i.end_ns), count(*), t.process_id,"
	" (SELECT e.process_id FROM pipe_end e WHERE e.pipe_id = i.pipe_id"
	"  AND CASE WHEN p.kind = 'socketpair' THEN e.side <> i.side ELSE instr(e.mode, 'r') END"
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

		describe_process(&b, ctx->db, query_int(stmt, 4, 0));
		buf_adds(&b, " wrote to ");
		describe_pipe(&b, ctx->db, pipe);
		buf_adds(&b, ", which nobody reads any more");
		f = rule_report(ctx, "broken-pipe", query_int(stmt, 2, 0), &b, NULL,
			"This is often intended (a reader such as head has seen enough); otherwise let the reader read to the end.");
		describe_thread(&b, ctx->db, query_int(stmt, 1, 0));
		buf_adds(&b, " got EPIPE at ");
		describe_time(&b, query_int(stmt, 2, 0));
		m = rule_member(f, &b);
		m->thread_id = query_int(stmt, 1, 0);
		m->process_id = query_int(stmt, 4, 0);
		m->pipe_id = pipe;
		if (!reader)
			continue;
		describe_process(&b, ctx->db, reader);
		buf_adds(&b, " was its last reader and has left");
		m = rule_member(f, &b);
		m->process_id = reader;
		m->pipe_id = pipe;
	}
	return rc;
}
