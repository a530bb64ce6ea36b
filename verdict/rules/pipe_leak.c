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
 * Nor is an end that a process has inherited and closed before it has executed a program, or by doing so: on a busy machine a child
 * may take a while until it comes to that.
 *
 * Waits count if they were open at the end, were broken off by a signal, or
 * ended with end-of-file, and lasted 100 ms after the last user had gone. While
 * the recording grows it is not known what the holders are going to do: there only
 * those count that have lost whoever started them, or that have the end by
 * accident, under a number that no standard stream has. A snapshot does not know who wrote:
 * there the users are the waiter's own children that have ended.
 */
#include "verdict/rules/pipe_leak.h"

#include "base/clock.h"
#include "base/buf.h"
#include "schema/query.h"
#include "verdict/naming.h"

enum {
	LIST_MAX = 8,
	TOLD_MAX = 64,   /* further pipes are only counted */
	GENERATIONS = 64 /* a damaged file may hold a cycle of parents */
};

static bool is_user(const struct leaks *l, const struct leak_wait *w, int64_t process)
{
	return hash_get(&l->users, hash_mix(leak_awaited(w), (uint64_t)process, 1));
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
	int64_t since = w->start_ns, least = l->ctx->live_ns ? l->ctx->live_ns : LEAK_LEAST_NS;
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
	return n && ns_sub(w->end_ns, since) >= least;
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

/* Says whether all threads of a process wait for something. */
static bool is_blocked(struct leaks *l, int64_t process)
{
	return query_number(l->ctx->db,
		"SELECT NOT EXISTS (SELECT 1 FROM thread WHERE process_id = ?1 AND end_ns IS NULL"
		" AND id NOT IN (SELECT thread_id FROM wait WHERE end_ns IS NULL))",
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
	/* A child that has not executed its program yet may be about to close what it does not need. */
	if (!e->is_settled && !is_blocked(l, e->process))
		return false;
	return (e->fd > 2 && e->inherited) || (parent && !is_alive(l, parent));
}

static bool holds(const struct leak_wait *w, const struct leak_end *e)
{
	return e->open_ns < w->end_ns && e->close_ns >= w->end_ns && !e->is_given_up;
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

	naming_thread(&b, l->ctx->db, w->thread);
	buf_adds(&b, w->writes ? " waits for room" : " waits for data or end of file");
	if (!l->ctx->instant) {
		buf_adds(&b, " since ");
		naming_time(&b, w->start_ns);
	}
	naming_site(&b, l->ctx->db, w->site);
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
		naming_process(&b, l->ctx->db, e->process);
		buf_addf(&b, " keeps a %s end open (fd %lld", w->writes ? "read" : "write",
			(long long)e->fd);
		buf_adds(&b, e->inherited ? ", inherited across fork)" : ")");
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

	naming_pipe(&b, l->ctx->db, w->pipe);
	if (l->ctx->instant)
		buf_adds(&b, ": a terminated child left an end open in other processes, and ");
	else
		buf_adds(&b, w->writes ? ": nobody reads from it any more, but "
				       : ": all who wrote to it have closed it, but ");
	naming_thread(&b, l->ctx->db, w->thread);
	buf_adds(&b, w->writes ? " does not notice" : " sees no end-of-file");
	f = rule_report(l->ctx, "pipe-end-leak", w->start_ns, &b, NULL,
		"Close every end that a process does not use, right after fork; or make it"
		" close-on-exec (pipe2 with O_CLOEXEC). Redirect the standard streams of a service"
		" that outlives the process that started it.");
	f->certain = !l->ctx->live_ns && !l->ctx->instant;
	add_member(l, f, w);
	add_holders(l, f, w);
}

/* Says whether the waiter's own process holds the end for whose closing it waits. */
static bool holds_itself(const struct leaks *l, const struct leak_wait *w)
{
	return hash_get(&l->users, hash_mix(leak_awaited(w), (uint64_t)w->process, 2));
}

/*
 * Looks at one wait. Who waits for the same until the same moment waits for the same
 * reason: the first is told, and one of them is enough to look at.
 */
static void check(struct leaks *l, struct leak_wait *w)
{
	uint64_t key = hash_mix(leak_awaited(w), (uint64_t)w->end_ns, holds_itself(l, w));

	if (hash_set(&l->seen, key, l) || hash_get(&l->told, leak_awaited(w)))
		return;
	find_moment(l, w);
	if (l->ctx->instant ? !has_ended_child(l, w->process) : !users_have_left(l, w))
		return;
	if (!is_leak(l, w))
		return;
	(void)hash_set(&l->told, leak_awaited(w), l);
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
	return !ctx->live_ns || query_number(ctx->db, "SELECT max(id) FROM pipe_io", 0, 0,
					ctx->why) <= QUERY_PIPE_IO_MOST;
}

int rule_pipe_leak(struct rule_context *ctx)
{
	__attribute__((cleanup(leaks_done))) struct leaks l = {.ctx = ctx};
	int rc = may_look(ctx) ? leaks_load(&l) : 0;

	for (size_t i = 0; !rc && i < l.n_waits; i++)
		check(&l, &l.waits[i]);
	add_rest(&l);
	return rc;
}
