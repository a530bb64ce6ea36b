/* pipe_leak.c - ends of pipes that were kept open, so that nobody at the other end noticed that all had left. */
/* SPDX-License-Identifier: MIT */
/*
 * A reader waits for the end of a pipe that has no writer any more: all who
 * ever wrote to it have closed it. Whoever still holds a write end, and never
 * writes to it, keeps the end-of-file away. The same the other way round for a
 * writer on a full pipe that nobody reads.
 *
 * A process that has the end as its standard output, and whose children write,
 * is not a leak: a shell does so for a group of commands. It is one only if it is
 * the waiter itself.
 *
 * Waits count if they were open at the end, were broken off by a signal, or
 * ended with end-of-file, and lasted 100 ms after the last user had gone. While
 * the recording grows it is not known what the holders are going to do: there only
 * those count that have lost whoever started them, or that have the end by
 * accident, under a number that no standard stream has. A snapshot does not know who wrote:
 * there the users are the waiter's own children that have ended.
 *
 * Ends and users are read once for all waits together, whatever indexes there are.
 */
#include "verdict/rules/rules.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "schema/query.h"
#include "verdict/describe.h"

enum {
	LEAST_NS = 100000000,
	LIST_MAX = 8,
	TOLD_MAX = 64, /* further pipes are only counted */
	LIVE_ROWS =
		2000000, /* of so many reads and writes a look takes too long while the command runs */
	GENERATIONS = 64 /* a damaged file may hold a cycle of parents */
};

/* Of a connection to a server one process often greets, and leaves the rest to another one that it makes. */
#define KINDS "'pipe', 'fifo', 'socketpair'"
static const char waits_sql[] =
	"WITH long AS MATERIALIZED (SELECT w.*, t.process_id, p.end_kind AS how, p.end_ns AS gone"
	"  FROM wait w JOIN thread t ON t.id = w.thread_id JOIN process p ON p.id = t.process_id"
	"  WHERE w.reason IN ('pipe-read', 'pipe-write', 'poll') AND (w.reason = 'poll') = (w.pipe_id IS NULL)"
	"  AND (w.reason <> 'poll' OR w.timed = 0)"
	"  AND w.start_ns < ?1 AND min(coalesce(w.end_ns, ?1), ?1) - w.start_ns >= ?2),"
	/* One pass over all that was read, for all waits together: most reads are not end-of-file. */
	" ended AS MATERIALIZED (SELECT w.id FROM pipe_io i CROSS JOIN long w ON w.thread_id = i.thread_id"
	"  WHERE EXISTS (SELECT 1 FROM long WHERE end_ns <= ?1) AND i.bytes = 0 AND i.op = 'read'"
	"   AND i.pipe_id = w.pipe_id"
	"   AND i.start_ns <= w.end_ns AND i.end_ns >= w.end_ns AND i.start_ns >= w.start_ns - 1000000),"
	" found AS MATERIALIZED (SELECT w.* FROM long w WHERE w.end_ns IS NULL OR w.end_ns > ?1"
	"  OR (w.how = 'signal' AND w.gone - w.end_ns < 1000000000) OR w.id IN (SELECT id FROM ended))"
	"SELECT w.id, w.thread_id, w.process_id, w.pipe_id, w.reason = 'pipe-write', w.side,"
	" w.start_ns, min(coalesce(w.end_ns, ?1), ?1), w.site_id, p.kind = 'socketpair'"
	" FROM found w JOIN pipe p ON p.id = w.pipe_id AND p.kind IN (" KINDS ")"
	" UNION ALL"
	" SELECT w.id, w.thread_id, w.process_id, o.pipe_id, o.mode = 'w', o.side,"
	" w.start_ns, min(coalesce(w.end_ns, ?1), ?1), w.site_id, p.kind = 'socketpair'"
	" FROM found w JOIN wait_on o ON o.wait_id = w.id"
	" JOIN pipe p ON p.id = o.pipe_id AND p.kind IN (" KINDS ") WHERE w.reason = 'poll'"
	" ORDER BY 1";

/* Parameter: the pipes, as a JSON array. */
static const char ends_sql[] =
	"SELECT pipe_id, process_id, fd, side, instr(mode, 'r'), instr(mode, 'w'), open_ns, close_ns,"
	" open_via = 'inherit' FROM pipe_end WHERE pipe_id IN (SELECT value FROM json_each(?1))"
	" ORDER BY pipe_id, process_id, fd";
static const char users_sql[] =
	"SELECT i.pipe_id, i.op = 'write', i.side, t.process_id FROM"
	" (SELECT DISTINCT pipe_id, op, side, thread_id FROM pipe_io WHERE bytes > 0"
	"  AND pipe_id IN (SELECT value FROM json_each(?1))) i JOIN thread t ON t.id = i.thread_id";

/* A wait for somebody at the other end. */
struct leak_wait {
	int64_t wait, thread, process, pipe, start_ns, end_ns, site;
	int side;
	bool writes, is_socketpair;
};

struct leak_end {
	int64_t pipe, process, fd, open_ns, close_ns; /* close_ns INT64_MAX: still open */
	int side;
	bool reads, writes, inherited;
};

/* All that concerns the pipes that somebody waits for. */
struct leaks {
	struct rule_context *ctx;
	struct leak_wait *waits;
	size_t n_waits, cap_waits;
	struct leak_end *ends; /* those of one pipe one behind the other */
	size_t n_ends, cap_ends;
	struct hash first; /* of each pipe: its first end, + 1 */
	struct hash
		users; /* of each direction of a pipe: processes that used it (1), that hold it (2) */
	struct hash seen;    /* directions, moments: looked at */
	struct hash told;    /* directions of which it has been said */
	struct hash parents; /* of each process */
};

static void leaks_cleanup(struct leaks *l)
{
	free(l->waits);
	free(l->ends);
	hash_done(&l->first);
	hash_done(&l->users);
	hash_done(&l->seen);
	hash_done(&l->told);
	hash_done(&l->parents);
}

/* One direction of a pipe, as those see it who are at the end that a waiter waits for. */
static uint64_t direction(int64_t pipe, bool writes, int side)
{
	return hash_mix((uint64_t)pipe, writes, (uint64_t)side);
}

static int other_side(const struct leak_wait *w)
{
	return w->is_socketpair ? !w->side : 0;
}

static uint64_t awaited(const struct leak_wait *w)
{
	return direction(w->pipe, !w->writes, other_side(w));
}

static int load_waits(struct leaks *l)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct rule_context *ctx = l->ctx;
	int rc = query_open(ctx->db, waits_sql, &stmt, ctx->why);

	if (rc)
		return rc;
	query_bind_int(stmt, 1, ctx->now_ns);
	query_bind_int(stmt, 2, ctx->live_ns ? ctx->live_ns : ctx->instant ? 0 : LEAST_NS);
	while ((rc = query_step(stmt, ctx->why)) > 0) {
		ARRAY_GROW(l->waits, l->n_waits, l->cap_waits);
		l->waits[l->n_waits++] = (struct leak_wait){.wait = query_int(stmt, 0, 0),
			.thread = query_int(stmt, 1, 0),
			.process = query_int(stmt, 2, 0),
			.pipe = query_int(stmt, 3, 0),
			.writes = query_int(stmt, 4, 0) != 0,
			.side = query_int(stmt, 5, 0) != 0,
			.start_ns = query_int(stmt, 6, 0),
			.end_ns = query_int(stmt, 7, 0),
			.site = query_int(stmt, 8, 0),
			.is_socketpair = query_int(stmt, 9, 0) != 0};
	}
	return rc;
}

/* The pipes that are waited for, as a JSON array. */
static void list_pipes(const struct leaks *l, struct buf *json)
{
	struct hash seen = {0};

	buf_addc(json, '[');
	for (size_t i = 0; i < l->n_waits; i++)
		if (!hash_set(&seen, (uint64_t)l->waits[i].pipe, json))
			buf_addf(json, "%s%lld", json->len > 1 ? "," : "",
				(long long)l->waits[i].pipe);
	buf_addc(json, ']');
	hash_done(&seen);
}

static int load_ends(struct leaks *l, const struct buf *pipes)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct rule_context *ctx = l->ctx;
	int rc = query_open(ctx->db, ends_sql, &stmt, ctx->why);

	if (rc)
		return rc;
	query_bind_bytes(stmt, 1, pipes->data, pipes->len);
	while ((rc = query_step(stmt, ctx->why)) > 0) {
		struct leak_end e = {.pipe = query_int(stmt, 0, 0),
			.process = query_int(stmt, 1, 0),
			.fd = query_int(stmt, 2, -1),
			.side = query_int(stmt, 3, 0) != 0,
			.reads = query_int(stmt, 4, 0) != 0,
			.writes = query_int(stmt, 5, 0) != 0,
			.open_ns = query_int(stmt, 6, 0),
			.close_ns = query_int(stmt, 7, INT64_MAX),
			.inherited = query_int(stmt, 8, 0) != 0};

		for (int writes = 0; writes < 2; writes++)
			if (writes ? e.writes : e.reads)
				(void)hash_set(&l->users,
					hash_mix(direction(e.pipe, writes, e.side),
						(uint64_t)e.process, 2),
					l);
		if (!hash_get(&l->first, (uint64_t)e.pipe))
			(void)hash_set(&l->first, (uint64_t)e.pipe, (void *)(l->n_ends + 1));
		ARRAY_GROW(l->ends, l->n_ends, l->cap_ends);
		l->ends[l->n_ends++] = e;
	}
	return rc;
}

static int load_users(struct leaks *l, const struct buf *pipes)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct rule_context *ctx = l->ctx;
	int rc = query_open(ctx->db, users_sql, &stmt, ctx->why);

	if (rc)
		return rc;
	query_bind_bytes(stmt, 1, pipes->data, pipes->len);
	while ((rc = query_step(stmt, ctx->why)) > 0) {
		uint64_t key = direction(query_int(stmt, 0, 0), query_int(stmt, 1, 0) != 0,
			query_int(stmt, 2, 0) != 0);

		(void)hash_set(&l->users, hash_mix(key, (uint64_t)query_int(stmt, 3, 0), 1), l);
	}
	return rc;
}

static bool is_user(const struct leaks *l, const struct leak_wait *w, int64_t process)
{
	return hash_get(&l->users, hash_mix(awaited(w), (uint64_t)process, 1));
}

static size_t first_end(const struct leaks *l, const struct leak_wait *w)
{
	size_t first = (size_t)(uintptr_t)hash_get(&l->first, (uint64_t)w->pipe);

	return first ? first - 1 : l->n_ends;
}

/* Says whether an end is of the kind that the waiter waits for. */
static bool is_awaited(const struct leak_wait *w, const struct leak_end *e)
{
	if (w->is_socketpair)
		return e->side != w->side;
	return w->writes ? e->reads : e->writes;
}

#define EACH_AWAITED(l, w, e)                                                                      \
	for (const struct leak_end *e = (l)->ends + first_end(l, w);                               \
		e < (l)->ends + (l)->n_ends && e->pipe == (w)->pipe; e++)                          \
		if (is_awaited(w, e))

/* The moment to look at: when the wait ended, or, if that came about because the last end was closed, then. */
static void find_moment(const struct leaks *l, struct leak_wait *w)
{
	int64_t last = INT64_MIN;

	EACH_AWAITED(l, w, e)
	{
		if (e->close_ns > w->end_ns && e->open_ns <= w->end_ns)
			return;
		if (e->close_ns <= w->end_ns && e->close_ns > last)
			last = e->close_ns;
	}
	if (last != INT64_MIN)
		w->end_ns = last;
}

/* Says whether everybody who used the other end has gone for long enough. */
static bool users_have_left(const struct leaks *l, const struct leak_wait *w)
{
	int64_t since = w->start_ns, least = l->ctx->live_ns ? l->ctx->live_ns : LEAST_NS;
	size_t n = 0;

	EACH_AWAITED(l, w, e)
	{
		if (e->open_ns > w->end_ns || !is_user(l, w, e->process))
			continue;
		if (e->close_ns >= w->end_ns)
			return false;
		since = e->close_ns > since ? e->close_ns : since;
		n++;
	}
	return n && w->end_ns - since >= least;
}

static int load_parents(struct leaks *l)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct rule_context *ctx = l->ctx;
	int rc = query_open(ctx->db,
		"SELECT id, parent_id FROM process WHERE parent_id IS NOT NULL", &stmt, ctx->why);

	while (!rc && (rc = query_step(stmt, ctx->why)) > 0) {
		(void)hash_set(&l->parents, (uint64_t)query_int(stmt, 0, 0),
			(void *)(uintptr_t)query_int(stmt, 1, 0));
		rc = 0;
	}
	return rc;
}

static int64_t parent_of(const struct leaks *l, int64_t process)
{
	return (int64_t)(uintptr_t)hash_get(&l->parents, (uint64_t)process);
}

/* Says whether a process is an ancestor of somebody who used the other end. */
static bool is_above_users(const struct leaks *l, const struct leak_wait *w, int64_t process)
{
	EACH_AWAITED(l, w, e)
	{
		int64_t p = is_user(l, w, e->process) ? parent_of(l, e->process) : 0;

		for (int i = 0; p && i < GENERATIONS; i++) {
			if (p == process)
				return true;
			p = parent_of(l, p);
		}
	}
	return false;
}

static bool is_alive(struct leaks *l, int64_t process)
{
	return query_pair(l->ctx->db,
		"SELECT 1 FROM process WHERE id = ?1 AND (end_ns IS NULL OR end_ns > ?2)", process,
		l->ctx->now_ns, 0, l->ctx->why);
}

/* Says whether the waiter's process has a child that ended and is not reaped. */
static bool has_ended_child(struct leaks *l, int64_t process)
{
	return query_number(l->ctx->db,
		"SELECT 1 FROM process WHERE parent_id = ?1 AND end_ns IS NOT NULL AND reaped_ns IS NULL",
		process, 0, l->ctx->why);
}

/* Says whether a holder is one that, as far as can be told before the end, will never use the end. */
static bool is_left_behind(struct leaks *l, const struct leak_wait *w, const struct leak_end *e)
{
	int64_t parent = parent_of(l, e->process);

	if (e->process == w->process)
		return false;
	if (l->ctx->instant)
		return !parent || !is_alive(l, parent);
	return (e->fd > 2 && e->inherited) || (parent && !is_alive(l, parent));
}

static bool holds(const struct leak_wait *w, const struct leak_end *e)
{
	return e->open_ns < w->end_ns && e->close_ns >= w->end_ns;
}

/* Says whether who still holds the other end keeps its closing away by mistake. */
static bool is_leak(struct leaks *l, const struct leak_wait *w)
{
	size_t n = 0;

	EACH_AWAITED(l, w, e)
	{
		if (!holds(w, e))
			continue;
		if (e->fd <= 2 && e->process != w->process && is_above_users(l, w, e->process))
			return false;
		if ((l->ctx->live_ns || l->ctx->instant) && !is_left_behind(l, w, e))
			return false;
		n++;
	}
	return n > 0;
}

static void add_member(struct leaks *l, struct finding *f, const struct leak_wait *w)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct finding_member *m;

	describe_thread(&b, l->ctx->db, w->thread);
	buf_adds(&b, w->writes ? " waits for room" : " waits for data or end-of-file");
	if (!l->ctx->instant) {
		buf_adds(&b, " since ");
		describe_time(&b, w->start_ns);
	}
	describe_site(&b, l->ctx->db, w->site);
	m = rule_member(f, &b);
	m->thread_id = w->thread;
	m->process_id = w->process;
	m->pipe_id = w->pipe;
	m->site_id = w->site;
	m->wait_id = w->wait;
}

/* Every process that still holds the other end, with the lowest of its descriptors. */
static void add_holders(struct leaks *l, struct finding *f, const struct leak_wait *w)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int64_t last = 0;
	size_t n = 0, more = 0;

	EACH_AWAITED(l, w, e)
	{
		struct finding_member *m;

		if (!holds(w, e) || e->process == last)
			continue;
		last = e->process;
		if (++n > LIST_MAX) {
			more++;
			continue;
		}
		describe_process(&b, l->ctx->db, e->process);
		buf_addf(&b, " keeps a %s end open (fd %lld", w->writes ? "read" : "write",
			(long long)e->fd);
		buf_adds(&b, e->inherited ? ", inherited at fork)" : ")");
		if (!l->ctx->instant)
			buf_addf(&b, " and never %s%s", w->writes ? "reads" : "writes",
				l->ctx->live_ns ? ", so far" : "");
		m = rule_member(f, &b);
		m->process_id = e->process;
		m->pipe_id = w->pipe;
	}
	if (!more)
		return;
	buf_addf(&b, "and %zu more", more);
	(void)rule_member(f, &b);
}

static void report(struct leaks *l, const struct leak_wait *w)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct finding *f;

	describe_pipe(&b, l->ctx->db, w->pipe);
	if (l->ctx->instant)
		buf_adds(&b, ": a child that ended has left an end open in others, and ");
	else
		buf_adds(&b, w->writes ? ": nobody reads from it any more, but "
				       : ": all writers have left, but ");
	describe_thread(&b, l->ctx->db, w->thread);
	buf_adds(&b, w->writes ? " does not notice" : " sees no end-of-file");
	f = rule_report(l->ctx, "pipe-end-leak", w->start_ns, &b, NULL,
		"Close every end that a process does not use, right after fork; or make it"
		" close-on-exec (pipe2 with O_CLOEXEC). Give a service that goes on other streams"
		" than those of its starter.");
	f->certain = !l->ctx->live_ns && !l->ctx->instant;
	add_member(l, f, w);
	add_holders(l, f, w);
}

/* Says whether the waiter's own process holds the end for whose closing it waits. */
static bool holds_itself(const struct leaks *l, const struct leak_wait *w)
{
	return hash_get(&l->users, hash_mix(awaited(w), (uint64_t)w->process, 2));
}

/*
 * Looks at one wait. Who waits for the same until the same moment waits for the same
 * reason: the first is told, and one of them is enough to look at.
 */
static void check(struct leaks *l, struct leak_wait *w)
{
	uint64_t key = hash_mix(awaited(w), (uint64_t)w->end_ns, holds_itself(l, w));

	if (hash_set(&l->seen, key, l) || hash_get(&l->told, awaited(w)))
		return;
	find_moment(l, w);
	if (l->ctx->instant ? !has_ended_child(l, w->process) : !users_have_left(l, w))
		return;
	if (!is_leak(l, w))
		return;
	(void)hash_set(&l->told, awaited(w), l);
	if (l->told.len <= TOLD_MAX)
		report(l, w);
}

/* What was only counted is said with the last that was told. */
static void add_rest(struct leaks *l)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (l->told.len <= TOLD_MAX)
		return;
	buf_addf(&b, "the same is true of %zu more pipes", l->told.len - TOLD_MAX);
	finding_set(&l->ctx->out->list[l->ctx->out->n - 1].explanation, &b);
}

/* While the command runs a look must not take long. */
static bool may_look(struct rule_context *ctx)
{
	return !ctx->live_ns ||
	       query_number(ctx->db, "SELECT max(id) FROM pipe_io", 0, 0, ctx->why) <= LIVE_ROWS;
}

int rule_pipe_leak(struct rule_context *ctx)
{
	__attribute__((cleanup(leaks_cleanup))) struct leaks l = {.ctx = ctx};
	_cleanup_buf_ struct buf pipes = BUF_INIT;
	int rc = may_look(ctx) ? load_waits(&l) : 0;

	if (rc || !l.n_waits)
		return rc;
	list_pipes(&l, &pipes);
	rc = load_ends(&l, &pipes);
	if (!rc)
		rc = load_users(&l, &pipes);
	if (!rc)
		rc = load_parents(&l);
	for (size_t i = 0; !rc && i < l.n_waits; i++)
		check(&l, &l.waits[i]);
	add_rest(&l);
	return rc;
}
