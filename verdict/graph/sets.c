/* sets.c - the sets of threads that block each other at one moment. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/sets.h"

#include <signal.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"

/* The longest list of nodes that is searched for the next member; beyond, the set is a knot. */
enum { SEARCH_LIMIT = 256 };

struct finder {
	const struct state *st;
	const struct providers *pr; /* whose sets are being looked at */
	struct stuck_sets *sets;
	uint32_t *set_of; /* of each node, 1 + index of the set that has it; 0: none */
	uint32_t *missing;
	uint32_t *touched; /* nodes whose missing is set */
	bool *is_certain;  /* of each thread: member of a certain set */
	bool certain;      /* sets of the generous graph */
};

static bool is_thread(const struct finder *f, uint32_t node)
{
	return node < f->st->n_threads;
}

/* The threads that cannot go on because of a minimal set without threads: something that no remaining thread can provide. */
static size_t abandoned_members(
	struct finder *f, const uint32_t *minimal, size_t n_minimal, uint32_t *members)
{
	const struct web *g = &f->pr->web;
	_cleanup_free_ uint32_t *work = xcalloc(g->n_nodes + 1, sizeof *work);
	size_t n_work = 0, n_touched = 0, n = 0;

	for (size_t i = 0; i < n_minimal; i++)
		work[n_work++] = minimal[i];
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

/* Says whether only other threads could end the wait: a thread that waits alone has nobody. */
static bool needs_others(const struct state *st, uint32_t thread)
{
	return wait_info(st->threads[thread].wait.reason)->needs_others;
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

/* A pipe to itself into which nobody else has written is there to be woken by one's own signal handlers. */
static bool is_self_pipe(const struct state *st, const struct state_thread *t)
{
	return !query_pair(st->db,
		"SELECT 1 FROM pipe_io i JOIN thread t ON t.id = i.thread_id"
		" WHERE i.pipe_id = ?1 AND i.op = 'write' AND t.process_id <> ?2 LIMIT 1",
		t->wait.pipe_id, st->processes[t->process].id, 0, st->why);
}

/* Says whether a member catches a signal by which people tell a program what to do. */
static bool takes_orders(const struct finder *f, uint32_t member)
{
	const struct state_thread *t = &f->st->threads[member];

	return f->st->processes[t->process].orders & ~t->wait.sigmask;
}

/* Says whether a member reads from a pipe that its own handlers write to. */
static bool reads_self_pipe(const struct finder *f, uint32_t member)
{
	const unsigned others = MAYBE_REOPEN | MAYBE_FLIGHT;
	const struct state_thread *t = &f->st->threads[member];

	return t->wait.reason == WAIT_PIPE_READ && f->pr->maybe[member] & ~others &&
	       is_self_pipe(f->st, t);
}

/* Says whether a member waits for a pipe, and not for a FIFO of its own that others open. */
static bool wants_pipe(const struct finder *f, uint32_t member)
{
	enum wait_reason reason = f->st->threads[member].wait.reason;

	return reason == WAIT_PIPE_WRITE ||
	       (reason == WAIT_PIPE_READ && !(f->pr->maybe[member] & MAYBE_FIFO));
}

static bool any_member(const struct finder *f, const struct stuck_set *s,
	bool (*is)(const struct finder *f, uint32_t member))
{
	for (size_t i = 0; i < s->n_members; i++)
		if (is(f, s->members[i]))
			return true;
	return false;
}

static bool waits_as_loops_do(const struct finder *f, uint32_t member)
{
	return wait_info(f->st->threads[member].wait.reason)->is_idle;
}

/* Says whether a thread wants something done: a lock released, a thread or a process ended. */
static bool wants_done(const struct finder *f, uint32_t thread)
{
	enum wait_reason reason = f->st->threads[thread].wait.reason;

	return reason == WAIT_CHILD || wait_info(reason)->mode == MODE_ALL;
}

/* Says whether a member, or somebody behind them, wants something done. */
static bool is_waited_for(const struct finder *f, const struct stuck_set *s)
{
	for (size_t i = 0; i < s->n_behind; i++)
		if (wants_done(f, s->behind[i]))
			return true;
	return any_member(f, s, wants_done);
}

/* Says whether a thread waits until another one has ended, or for what another one holds. */
static bool wants_thread(const struct finder *f, uint32_t thread)
{
	const struct wait_info *info = wait_info(f->st->threads[thread].wait.reason);

	return info->mode == MODE_ALL && info->is_deaf;
}

/* Says whether a member's program has a handler of its own by which it may be told to end. */
static bool takes_signals(const struct finder *f, uint32_t member)
{
	return state_takes_signals(f->st, f->st->threads[member].process);
}

/*
 * A loop that never ends because somebody joins it, or who reads an eventfd that it has for itself: without any
 * handler no signal can tell it what to do.
 */
static bool is_forgotten(const struct finder *f, const struct stuck_set *s)
{
	bool wanted = (s->reasons & 1u << WAIT_EVENTFD) != 0 || any_member(f, s, wants_thread);

	for (size_t i = 0; i < s->n_behind && !wanted; i++)
		wanted = wants_thread(f, s->behind[i]);
	return wanted && !any_member(f, s, takes_signals);
}

/*
 * Who only waits for signals, with a child that ended and no other: SIGCHLD has come for it, or it was merged with
 * that of another child, and the handler reaped one alone.
 */
static bool is_merged(const struct finder *f, const struct stuck_set *s)
{
	const struct state_thread *t = &f->st->threads[s->members[0]];
	const struct state_process *p = &f->st->processes[t->process];

	return s->n_members == 1 && t->wait.reason == WAIT_SIGNAL && p->has_zombie &&
	       p->child == STATE_NONE && state_catches(f->st, s->members[0], SIGCHLD) &&
	       !takes_signals(f, s->members[0]);
}

/*
 * Event loops, and services at rest: every way on passes through a signal for which the program installed a
 * handler, or a FIFO that others are meant to open. What a ring has under way is not known: it passes for rest
 * too. But where somebody in a service, or behind it, waits for a lock, for the end of a thread or of a process,
 * something is missing.
 */
static bool is_idle(const struct finder *f, const struct stuck_set *s)
{
	const unsigned ways = MAYBE_SIGNAL | MAYBE_SENT | MAYBE_FIFO | MAYBE_EVENTFD |
			      MAYBE_TIMERFD | MAYBE_URING | MAYBE_IPC;

	/* Bytes are under way wherever there is a network: that somebody looked for them makes a set certain. */
	if (s->maybe == MAYBE_URING || s->maybe & MAYBE_FLIGHT)
		return true;
	if (is_forgotten(f, s) || is_merged(f, s))
		return false;
	if (!(s->reasons & 1u << WAIT_FIFO_OPEN) &&
		(any_member(f, s, waits_as_loops_do) || any_member(f, s, reads_self_pipe)))
		return true;
	return s->maybe && !(s->maybe & ~ways) && !any_member(f, s, wants_pipe) &&
	       !is_waited_for(f, s) &&
	       (!(s->maybe & MAYBE_SIGNAL) || any_member(f, s, takes_orders));
}

static void drop_set(struct finder *f, struct stuck_set *s)
{
	free(s->members);
	free(s->behind);
	f->sets->n--;
}

static void each_minimal(void *arg, const uint32_t *nodes, size_t n)
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
	if (!s->n_members || known || !sets_stood(f->st, s)) {
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
			if (is_thread(f, up) && !f->st->threads[up].housekeeping) {
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
	web_minimal_sets(&pr->web, each_minimal, f);
	if (f->sets->n > first)
		find_behind(f, first);
}

static unsigned ring_of(const struct state *st, uint32_t thread)
{
	return st->processes[st->threads[thread].process].uring ? MAYBE_URING : 0;
}

/* Says whether a thread of a language waits for something that any other thread may do, and holds nobody up by itself. */
static bool rests(const struct finder *f, uint32_t member)
{
	const struct state_wait *w = &f->st->threads[member].wait;

	return w->reason == WAIT_COND && state_is_of_runtime(state_lock_of(f->st, w));
}

static bool wants_work(const struct finder *f, uint32_t member)
{
	return state_lock_of(f->st, &f->st->threads[member].wait)->is_pool;
}

static bool all_members(const struct finder *f, const struct stuck_set *s,
	bool (*is)(const struct finder *f, uint32_t member))
{
	for (size_t i = 0; i < s->n_members; i++)
		if (!is(f, s->members[i]))
			return false;
	return true;
}

/*
 * A program of a language whose threads all wait for work, a notification, a latch: it may be told to end, and
 * have said what is to be done then (a shutdown hook). Pools that have nothing to do are not shown.
 */
static void judge_rest(const struct finder *f, struct stuck_set *s)
{
	if (!all_members(f, s, rests))
		return;
	s->certain = false;
	s->maybe |= MAYBE_HOOK;
	s->hidden = all_members(f, s, wants_work) || any_member(f, s, takes_orders);
}

/* What is certain must be seen: losses leave room for an end of a wait that nobody saw. */
static void judge(struct finder *f, const struct providers *generous)
{
	f->pr = generous;
	for (size_t i = 0; i < f->sets->n; i++) {
		struct stuck_set *s = &f->sets->list[i];

		for (size_t k = 0; k < s->n_members; k++)
			s->maybe |= generous->maybe[s->members[k]] | ring_of(f->st, s->members[k]);
		if (!s->certain)
			s->hidden = is_idle(f, s);
		else if (f->st->lost)
			s->certain = false;
		judge_rest(f, s);
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
