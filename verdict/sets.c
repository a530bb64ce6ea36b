/* sets.c - the sets of threads that hold each other fast at one moment. */
/* SPDX-License-Identifier: MIT */
#include "verdict/sets.h"

#include "base/buf.h"
#include "base/mem.h"
#include "verdict/query.h"

/*
 * A thread that was woken counts as blocked until it runs, which on a busy
 * machine takes a while. What has stood still this long is not on its way. Of
 * the past it is known how each wait ended: there less will do.
 */
enum { TOGETHER_NOW_MS = 200, TOGETHER_PAST_MS = 50 };

/* The longest list of nodes that is searched for the next member; beyond, the set is a knot. */
enum { SEARCH_LIMIT = 256 };

struct finder {
	const struct state *st;
	const struct providers *pr; /* whose cores are being looked at */
	struct stuck_sets *sets;
	uint32_t
		*set_of; /* of each node, 1 + index of the set it is a core or member of; 0: none */
	uint32_t *missing;
	uint32_t *touched; /* nodes whose missing is set */
	bool *is_certain;  /* of each thread: member of a certain set */
	bool certain;      /* cores of the generous graph */
};

static bool is_thread(const struct finder *f, uint32_t node)
{
	return node < f->st->n_threads;
}

/* The threads that cannot go on because of a core without threads: something that nobody is left to provide. */
static size_t abandoned_members(
	struct finder *f, const uint32_t *core, size_t n_core, uint32_t *members)
{
	const struct web *g = &f->pr->web;
	_cleanup_free_ uint32_t *work = xcalloc(g->n_nodes + 1, sizeof *work);
	size_t n_work = 0, n_touched = 0, n = 0;

	for (size_t i = 0; i < n_core; i++)
		work[n_work++] = core[i];
	while (n_work) {
		const struct web_node *node = &g->nodes[work[--n_work]];

		for (uint32_t k = 0; k < node->n_up; k++) {
			uint32_t up = g->up[node->first_up + k];
			const struct web_node *u = &g->nodes[up];

			if (u->live || f->missing[up] == UINT32_MAX)
				continue;
			if (!f->missing[up]) {
				f->missing[up] = u->mode == WEB_ANY ? u->n_down : 1;
				f->touched[n_touched++] = up;
			}
			if (--f->missing[up])
				continue;
			f->missing[up] = UINT32_MAX;
			if (is_thread(f, up))
				members[n++] = up;
			else
				work[n_work++] = up;
		}
	}
	while (n_touched)
		f->missing[f->touched[--n_touched]] = 0;
	return n;
}

/*
 * Looks for the threads that a thread rests on next within its set. Returns how
 * many there are beside itself, at most 2, the first in *ret; *ret_self says whether it rests on itself.
 */
static int successors(
	const struct finder *f, uint32_t thread, uint32_t set, uint32_t *ret, bool *ret_self)
{
	const struct web *g = &f->pr->web;
	uint32_t list[SEARCH_LIMIT];
	size_t n = 0, done = 0;
	int found = 0;

	*ret_self = false;
	list[n++] = thread;
	while (done < n) {
		const struct web_node *node = &g->nodes[list[done++]];

		for (uint32_t k = 0; k < node->n_down; k++) {
			uint32_t w = g->down[node->first_down + k];
			size_t known = 0;

			if (f->set_of[w] != set)
				continue;
			if (w == thread) {
				*ret_self = true;
			} else if (is_thread(f, w)) {
				if (found && *ret == w)
					continue;
				*ret = w;
				if (++found == 2)
					return found;
			} else {
				while (known < n && list[known] != w)
					known++;
				if (known < n)
					continue;
				if (n == SEARCH_LIMIT)
					return 2;
				list[n++] = w;
			}
		}
	}
	return found;
}

/* Only other threads could end these waits; who waits alone has nobody. */
static bool needs_others(const struct state *st, uint32_t thread)
{
	const unsigned others = 1u << WAIT_COND | 1u << WAIT_BARRIER | 1u << WAIT_SEM |
				1u << WAIT_FUTEX | 1u << WAIT_FIFO_OPEN | 1u << WAIT_SIGNAL |
				1u << WAIT_EVENTFD;

	return others >> st->threads[thread].wait.reason & 1;
}

/* Puts the members of a cycle into its order, and names the shape. */
static void find_shape(const struct finder *f, struct stuck_set *s, uint32_t set)
{
	_cleanup_free_ uint32_t *order = xcalloc(s->n_members + 1, sizeof *order);
	uint32_t at = s->members[0], next = at;
	bool self;
	size_t n = 0;

	if (s->n_members == 1) {
		(void)successors(f, at, set, &next, &self);
		s->shape = self && !needs_others(f->st, at) ? "self" : "abandoned";
		return;
	}
	s->shape = "knot";
	do {
		order[n++] = at;
		if (successors(f, at, set, &next, &self) != 1)
			return;
		at = next;
	} while (at != s->members[0] && n < s->n_members);
	if (at != s->members[0] || n != s->n_members)
		return;
	s->shape = "cycle";
	memcpy(s->members, order, n * sizeof *order);
}

/* Adds the latest time before the moment that sql yields for ?1 = id, ?2 = the moment. */
static void settle_by(const struct state *st, const char *sql, int64_t id, int64_t *settled_ns)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	int64_t ns;

	if (query_open(st->db, sql, &stmt, &why) != 0)
		return;
	(void)sqlite3_bind_int64(stmt, 1, id);
	(void)sqlite3_bind_int64(stmt, 2, st->now_ns);
	if (query_step(stmt, &why) != 1)
		return;
	ns = query_int(stmt, 0, INT64_MIN);
	if (ns > *settled_ns)
		*settled_ns = ns;
}

/*
 * When did the last one go who might have helped? Threads of the members'
 * processes that ended, holders that ended, ends that were closed: a process
 * that is just being killed loses one after the other.
 */
static int64_t settled(const struct state *st, const struct stuck_set *s)
{
	enum { LOOKED_AT = 64 };
	const unsigned everybody = 1u << WAIT_FIFO_OPEN | 1u << WAIT_EVENTFD | 1u << WAIT_POLL;
	int64_t ns = s->since_ns, last_process = 0;

	if (s->reasons & everybody)
		settle_by(st, "SELECT max(end_ns) FROM thread WHERE end_ns <= ?2", 0, &ns);
	for (size_t i = 0; i < s->n_members && i < LOOKED_AT; i++) {
		const struct state_thread *t = &st->threads[s->members[i]];
		int64_t process = st->processes[t->process].id;
		uint32_t l = state_lock(st, t->wait.lock_id);

		if (process != last_process)
			settle_by(st,
				"SELECT max(end_ns) FROM thread WHERE process_id = ?1 AND end_ns <= ?2",
				process, &ns);
		last_process = process;
		if (t->wait.pipe_id)
			settle_by(st,
				"SELECT max(close_ns) FROM pipe_end WHERE pipe_id = ?1 AND close_ns <= ?2",
				t->wait.pipe_id, &ns);
		if (l == STATE_NONE)
			continue;
		if (st->locks[l].pshared)
			settle_by(st,
				"SELECT max(end_ns) FROM lock_user WHERE lock_id = ?1 AND end_ns <= ?2",
				t->wait.lock_id, &ns);
		for (uint32_t h = st->locks[l].first_holder; h != STATE_NONE;
			h = st->holders[h].next)
			if (state_thread(st, st->holders[h].thread_id) == STATE_NONE)
				settle_by(st,
					"SELECT end_ns FROM thread WHERE id = ?1 AND end_ns <= ?2",
					st->holders[h].thread_id, &ns);
	}
	return ns;
}

/* Says whether a signal handler broke the wait off. */
static bool was_interrupted(const struct state *st, const struct state_thread *t)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;

	if (query_open(st->db,
		    "SELECT 1 FROM signal WHERE thread_id = ?1 AND disposition = 'handler'"
		    " AND delivered_ns BETWEEN ?2 - 1000000000 AND ?2 + 1000000000 LIMIT 1",
		    &stmt, &why) != 0)
		return false;
	(void)sqlite3_bind_int64(stmt, 1, t->id);
	(void)sqlite3_bind_int64(stmt, 2, t->wait.end_ns);
	return query_step(stmt, &why) == 1;
}

/*
 * Says whether one of them had woken another, who was about to go on. Waits for
 * ends of threads, processes and pipes are ended by the dying as well.
 */
static bool was_woken(const struct state *st, const struct stuck_set *s)
{
	const unsigned by_call =
		1u << WAIT_LOCK | 1u << WAIT_COND | 1u << WAIT_SEM | 1u << WAIT_BARRIER;

	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_wait *w = &st->threads[s->members[i]].wait;
		uint32_t l = state_lock(st, w->lock_id), waker = state_thread(st, w->waker_id);

		if (w->end_ns == INT64_MAX || waker == STATE_NONE || !(by_call >> w->reason & 1) ||
			(l != STATE_NONE && st->locks[l].robust))
			continue;
		for (size_t k = 0; k < s->n_members; k++)
			if (s->members[k] == waker && waker != s->members[i])
				return true;
	}
	return false;
}

/* Says whether the members' waits overlap for long enough, and since when. */
static bool stood_together(const struct state *st, struct stuck_set *s)
{
	int64_t until = st->last_ns, least;

	s->since_ns = INT64_MIN;
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_wait *w = &st->threads[s->members[i]].wait;

		if (w->start_ns > s->since_ns)
			s->since_ns = w->start_ns;
		if (w->end_ns < until)
			until = w->end_ns;
		s->reasons |= 1u << w->reason;
	}
	if (st->instant || until == INT64_MAX)
		return true;
	/* What ended by itself later on was no deadlock. */
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_thread *t = &st->threads[s->members[i]];

		if (t->wait.end_ns != INT64_MAX && !t->torn && !was_interrupted(st, t))
			return false;
	}
	if (was_woken(st, s))
		return false;
	least = 1000000 * (int64_t)(st->at_ns == STATE_END ? TOGETHER_NOW_MS : TOGETHER_PAST_MS);
	return until - s->since_ns >= least && until - settled(st, s) >= least;
}

/* A pipe to itself into which nobody else has written is there to be woken by one's own signal handlers. */
static bool is_self_pipe(const struct state *st, const struct state_thread *t)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;

	if (query_open(st->db,
		    "SELECT 1 FROM pipe_io i JOIN thread t ON t.id = i.thread_id"
		    " WHERE i.pipe_id = ?1 AND i.op = 'write' AND t.process_id <> ?2 LIMIT 1",
		    &stmt, &why) != 0)
		return true;
	(void)sqlite3_bind_int64(stmt, 1, t->wait.pipe_id);
	(void)sqlite3_bind_int64(stmt, 2, st->processes[t->process].id);
	return query_step(stmt, &why) != 1;
}

/* Event loops, servers and the like: conditional sets of which a member waits as these do. */
static bool is_idle(const struct finder *f, const struct stuck_set *s)
{
	const unsigned idle =
		1u << WAIT_POLL | 1u << WAIT_SIGNAL | 1u << WAIT_EVENTFD | 1u << WAIT_FUTEX;

	/* Whoever opens a FIFO means to meet somebody. */
	if (s->reasons & 1u << WAIT_FIFO_OPEN)
		return false;
	if (s->reasons & idle)
		return true;
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_thread *t = &f->st->threads[s->members[i]];

		if (t->wait.reason == WAIT_PIPE_READ &&
			f->pr->maybe[s->members[i]] & ~(unsigned)MAYBE_REOPEN &&
			is_self_pipe(f->st, t))
			return true;
	}
	return false;
}

static void drop_set(struct finder *f, struct stuck_set *s)
{
	free(s->members);
	free(s->behind);
	f->sets->n--;
}

static void each_core(void *arg, const uint32_t *nodes, size_t n)
{
	struct finder *f = arg;
	struct stuck_set *s;
	uint32_t set;
	bool known = false;

	ARRAY_GROW(f->sets->list, f->sets->n, f->sets->cap);
	s = &f->sets->list[f->sets->n++];
	*s = (struct stuck_set){.certain = f->certain};
	set = (uint32_t)f->sets->n;
	s->members = xcalloc(n + 1, sizeof *s->members);
	for (size_t i = 0; i < n && is_thread(f, nodes[i]); i++)
		s->members[s->n_members++] = nodes[i];
	if (!s->n_members) {
		free(s->members);
		s->members = xcalloc(f->st->n_threads + 1, sizeof *s->members);
		s->n_members = abandoned_members(f, nodes, n, s->members);
		s->shape = "abandoned";
	}
	for (size_t i = 0; i < s->n_members; i++)
		known = known || f->is_certain[s->members[i]];
	if (!s->n_members || known || !stood_together(f->st, s)) {
		drop_set(f, s);
		return;
	}
	for (size_t i = 0; i < n; i++)
		f->set_of[nodes[i]] = set;
	for (size_t i = 0; i < s->n_members; i++)
		f->set_of[s->members[i]] = set;
	if (!s->shape)
		find_shape(f, s, set);
}

/* Gives every dead thread that is in no set to the first set that it is found to wait for. */
static void find_behind(struct finder *f, size_t first_set)
{
	const struct web *g = &f->pr->web;
	_cleanup_free_ uint32_t *work = xcalloc(g->n_nodes + 1, sizeof *work);
	size_t begin = 0, end = 0;

	for (size_t i = 0; i < g->n_nodes; i++)
		if (f->set_of[i] > first_set)
			work[end++] = (uint32_t)i;
	while (begin < end) {
		uint32_t v = work[begin++];
		const struct web_node *node = &g->nodes[v];
		struct stuck_set *s = &f->sets->list[f->set_of[v] - 1];

		for (uint32_t k = 0; k < node->n_up; k++) {
			uint32_t up = g->up[node->first_up + k];

			if (g->nodes[up].live || f->set_of[up])
				continue;
			f->set_of[up] = f->set_of[v];
			work[end++] = up;
			if (is_thread(f, up)) {
				ARRAY_GROW(s->behind, s->n_behind, s->cap_behind);
				s->behind[s->n_behind++] = up;
			}
		}
	}
}

static void find_in(struct finder *f, const struct providers *pr, bool certain)
{
	size_t first = f->sets->n;

	f->pr = pr;
	f->certain = certain;
	memset(f->set_of, 0, (pr->web.n_nodes + 1) * sizeof *f->set_of);
	web_cores(&pr->web, each_core, f);
	if (f->sets->n > first)
		find_behind(f, first);
}

/* What is certain must be seen: losses leave room for an end of a wait that nobody saw. */
static void judge(struct finder *f, const struct providers *generous)
{
	f->pr = generous;
	for (size_t i = 0; i < f->sets->n; i++) {
		struct stuck_set *s = &f->sets->list[i];

		for (size_t k = 0; k < s->n_members; k++)
			s->maybe |= generous->maybe[s->members[k]];
		if (!s->certain)
			s->hidden = is_idle(f, s);
		else if (f->st->lost)
			s->certain = false;
	}
}

int sets_find(const struct state *st, struct stuck_sets *ret, struct buf *why)
{
	struct providers strict = {0}, generous = {0};
	struct finder f = {.st = st, .sets = ret};
	size_t n;
	int rc;

	*ret = (struct stuck_sets){0};
	rc = providers_build(&strict, st, NULL, why);
	if (!rc)
		rc = providers_build(&generous, st, &strict, why);
	if (!rc) {
		n = strict.web.n_nodes > generous.web.n_nodes ? strict.web.n_nodes
							      : generous.web.n_nodes;
		f.set_of = xcalloc(n + 1, sizeof *f.set_of);
		f.missing = xcalloc(n + 1, sizeof *f.missing);
		f.touched = xcalloc(n + 1, sizeof *f.touched);
		f.is_certain = xcalloc(st->n_threads + 1, sizeof *f.is_certain);
		find_in(&f, &generous, true);
		for (size_t i = 0; i < ret->n; i++)
			for (size_t k = 0; k < ret->list[i].n_members; k++)
				f.is_certain[ret->list[i].members[k]] = true;
		find_in(&f, &strict, false);
		judge(&f, &generous);
	}
	free(f.set_of);
	free(f.missing);
	free(f.touched);
	free(f.is_certain);
	providers_done(&strict);
	providers_done(&generous);
	return rc;
}

void sets_done(struct stuck_sets *sets)
{
	for (size_t i = 0; i < sets->n; i++) {
		free(sets->list[i].members);
		free(sets->list[i].behind);
	}
	free(sets->list);
	*sets = (struct stuck_sets){0};
}
