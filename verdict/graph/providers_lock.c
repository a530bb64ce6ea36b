/* providers_lock.c - what waits for locks, semaphores and file locks rest on. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/private.h"

#include "base/buf.h"
#include "schema/query.h"

/*
 * Adds a holder to a node of mode ALL. A holder that has ended never releases
 * anything, nor does one that belongs to another process than the private lock
 * does (the lock is a copy that fork made): those get a node that is dead.
 */
static void add_holder(
	struct providers *pr, uint32_t node, const struct state_lock *l, int64_t thread_id)
{
	const struct state *st = pr->st;
	uint32_t t = state_thread(st, thread_id);
	bool copied = t != STATE_NONE && !l->pshared &&
		      st->processes[st->threads[t].process].memory_id !=
			      providers_memory_of(st, l->process_id);

	fixpoint_edge(&pr->graph, node,
		t == STATE_NONE || copied ? fixpoint_add(&pr->graph, FIXPOINT_ANY) : t);
}

/* A waiting writer that asked no later than a reader who waits though only readers hold the lock. */
static uint32_t queued_writers(struct providers *pr, const struct state_lock *l)
{
	const struct state *st = pr->st;
	uint32_t node;
	size_t n = 0;

	if (providers_shared(pr, SHARE_READERS_TURN, (uint64_t)l->id, FIXPOINT_ALL, &node))
		return node;
	for (size_t i = 0; i < st->n_threads; i++) {
		const struct state_thread *t = &st->threads[i];

		if (!t->waits || t->wait.reason != WAIT_LOCK || t->wait.lock_id != l->id ||
			t->wait.shared)
			continue;
		fixpoint_edge(&pr->graph, node, (uint32_t)i);
		n++;
	}
	if (!n)
		pr->graph.nodes[node].source = true;
	return node;
}

/* The owner that was read from the mutex when this thread blocked on it: good while nobody has been woken from it since. */
static uint32_t hinted_holder(
	struct providers *pr, const struct state_lock *l, const struct state_wait *w)
{
	uint32_t t = state_thread(pr->st, w->target_thread_id), node;

	if (!w->target_thread_id || l->stale || l->robust)
		return LIVE;
	if (t == STATE_NONE && l->pshared)
		return LIVE;
	/* Nobody need have been woken from it: its owner is the one that was read if that has not moved since. */
	if (l->is_polled && (t == STATE_NONE || !pr->st->threads[t].waits ||
				    pr->st->threads[t].wait.start_ns > w->read_ns))
		return LIVE;
	node = fixpoint_add(&pr->graph, FIXPOINT_ALL);
	add_holder(pr, node, l, w->target_thread_id);
	return node;
}

/* Says whether the holders that are known cannot be the ones that are waited for. */
static bool is_doubtful(const struct state *st, const struct state_lock *l, uint32_t thread)
{
	for (uint32_t h = l->first_holder; h != STATE_NONE; h = st->holders[h].next) {
		const struct state_holder *holder = &st->holders[h];
		bool gone = state_thread(st, holder->thread_id) == STATE_NONE;

		if (holder->inferred && l->stale)
			return true;
		/* The next to ask for a robust lock is given it, with a word about the dead owner. */
		if (l->robust && gone)
			return true;
		/* A thread that already has such a mutex would not have been put to sleep. */
		if (l->reentrant && holder->thread_id == st->threads[thread].id)
			return true;
	}
	return false;
}

/* solved: a graph that is. */
static bool is_live(const struct providers *solved, uint32_t process)
{
	return process != STATE_NONE && solved->st->processes[process].alive &&
	       solved->graph.nodes[solved->process_node[process]].live;
}

/* Says whether somebody who could reach the lock can go on. */
static bool has_live_user(const struct providers *solved, const struct state_lock *l)
{
	const struct state *st = solved->st;

	for (size_t i = 0; i < st->n_processes; i++)
		if ((l->pshared || l->process_id == st->processes[i].id) &&
			is_live(solved, (uint32_t)i))
			return true;
	return false;
}

/*
 * Says whether a thread of the process that has a lock of its own can go on by itself: one that waits for signals (as that of the C
 * library does which starts the functions of timers) only does what it is told.
 */
static bool has_live_thread(const struct providers *solved, const struct state_lock *l)
{
	const struct state *st = solved->st;
	uint32_t process = state_process(st, l->process_id);

	if (process == STATE_NONE)
		return false;
	for (uint32_t t = st->processes[process].first; t != STATE_NONE; t = st->threads[t].next)
		if (!st->threads[t].housekeeping && solved->graph.nodes[t].live &&
			!(st->threads[t].waits && st->threads[t].wait.reason == WAIT_SIGNAL))
			return true;
	return false;
}

/* Says whether a process that has used a lock can go on, or a thread of the one that it lies in. */
static bool has_live_sharer(const struct providers *solved, const struct state_lock *l)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	const struct state *st = solved->st;
	int rc;

	if (!l->pshared)
		return has_live_thread(solved, l);
	rc = query_one(st->db, "SELECT process_id FROM lock_user WHERE lock_id = ?1", l->id, &stmt,
		st->why);
	for (; rc > 0; rc = query_step(stmt, st->why))
		if (is_live(solved, state_process(st, query_int(stmt, 0, 0))))
			return true;
	return false;
}

/* What is known of those who have a lock. */
struct holding {
	int64_t n;
	bool inside; /* one of them is another living thread that waits for a lock, too */
};

static void add_holding(
	struct holding *h, const struct state *st, uint32_t waiter, int64_t holder_id)
{
	uint32_t holder = state_thread(st, holder_id);
	bool other = holder != STATE_NONE && holder != waiter;

	h->n++;
	h->inside |=
		other && st->threads[holder].waits && st->threads[holder].wait.reason == WAIT_LOCK;
}

/*
 * Says whether a lock may be used like a semaphore: one thread takes it, another one gives it back, which the C library lets
 * pass for such mutexes. As soon as its holder was seen to give it back it is a lock as others are; and so it is where its
 * holder waits for another lock, as who is inside two critical sections does. Where it is not recorded who gives back, it is known
 * of one alone from which its holder has woken somebody.
 */
static bool may_be_handed(const struct state *st, const struct state_lock *l, uint32_t thread)
{
	struct holding holding = {0};
	int64_t hint = st->threads[thread].wait.target_thread_id;

	if (l->reentrant || l->robust || l->is_pi ||
		(l->kind != LOCK_MUTEX && l->kind != LOCK_RWLOCK && l->kind != LOCK_SPIN))
		return false;
	for (uint32_t h = l->first_holder; h != STATE_NONE; h = st->holders[h].next)
		add_holding(&holding, st, thread, st->holders[h].thread_id);
	if (!holding.n && hint)
		add_holding(&holding, st, thread, hint);
	if (!holding.n || holding.inside)
		return false;
	return l->is_recorded && l->holds >= 0 ? l->holds <= holding.n : !l->is_given_back;
}

uint64_t providers_lock_rescues(const struct providers *solved, uint32_t thread)
{
	const struct state *st = solved->st;
	const struct state_thread *t = &st->threads[thread];
	const struct state_lock *l = state_lock_of(st, &t->wait);

	if (t->wait.reason != WAIT_LOCK || !l)
		return 0;
	if (l->foreign && !l->reentrant && !l->robust && has_live_user(solved, l))
		return MAYBE_UNLOCK;
	return may_be_handed(st, l, thread) && has_live_sharer(solved, l) ? MAYBE_HANDED : 0;
}

/* Says whether nobody was ever seen to take a lock: who takes it without having to wait is not recorded. */
static bool is_never_held(const struct state *st, const struct state_lock *l)
{
	return !query_number(st->db,
		"SELECT EXISTS (SELECT 1 FROM lock_hold WHERE lock_id = ?1)"
		" OR EXISTS (SELECT 1 FROM lock_open WHERE lock_id = ?1)",
		l->id, 0, st->why);
}

uint32_t providers_on_lock(struct providers *pr, uint32_t thread)
{
	const struct state *st = pr->st;
	const struct state_wait *w = &st->threads[thread].wait;
	const struct state_lock *l = state_lock_of(st, w);
	bool written = false, reader = w->shared && l && l->kind == LOCK_RWLOCK;
	uint32_t node;

	if (!l || is_doubtful(st, l, thread))
		return LIVE;
	providers_maybe_told(pr, thread);
	if (l->is_ownerless)
		providers_maybe(pr, thread, MAYBE_OWNER);
	/* A rwlock does not say who reads; but a waiter that was seen asleep waits for somebody who can reach it. */
	if (l->first_holder == STATE_NONE && l->kind == LOCK_RWLOCK &&
		(st->instant || is_never_held(st, l)))
		return providers_reach(pr, l, thread);
	if (l->first_holder == STATE_NONE)
		return hinted_holder(pr, l, w);
	for (uint32_t h = l->first_holder; h != STATE_NONE; h = st->holders[h].next)
		written = written || !st->holders[h].shared;
	if (reader && !written)
		return queued_writers(pr, l);
	if (providers_shared(pr, SHARE_HOLDERS, (uint64_t)l->id, FIXPOINT_ALL, &node))
		return node;
	for (uint32_t h = l->first_holder; h != STATE_NONE; h = st->holders[h].next)
		add_holder(pr, node, l, st->holders[h].thread_id);
	return node;
}

/* Says whether a process shares the open file description through which a thread took a file lock. */
static bool shares(const struct state *st, const struct state_lock *l, int64_t taker, uint32_t p)
{
	for (uint32_t h = l->first_holder; h != STATE_NONE; h = st->holders[h].next)
		if (st->holders[h].thread_id == taker &&
			state_process(st, st->holders[h].process_id) == p)
			return true;
	return false;
}

/* Says whether an earlier row of a lock is of the same description. */
static bool is_done(const struct state *st, const struct state_lock *l, uint32_t holder)
{
	for (uint32_t h = l->first_holder; h != holder; h = st->holders[h].next)
		if (st->holders[h].thread_id == st->holders[holder].thread_id)
			return true;
	return false;
}

/* Adds the description that a row is the first of: any living process that has it may unlock. Returns whether one has. */
static bool add_description(struct providers *pr, uint32_t node, uint32_t first)
{
	const struct state *st = pr->st;
	uint32_t description = STATE_NONE;

	for (uint32_t h = first; h != STATE_NONE; h = st->holders[h].next) {
		uint32_t p = state_process(st, st->holders[h].process_id);

		if (st->holders[h].thread_id != st->holders[first].thread_id || p == STATE_NONE ||
			!st->processes[p].alive)
			continue;
		if (description == STATE_NONE) {
			description = fixpoint_add(&pr->graph, FIXPOINT_ANY);
			fixpoint_edge(&pr->graph, node, description);
		}
		fixpoint_edge(&pr->graph, description, pr->process_node[p]);
	}
	return description != STATE_NONE;
}

/*
 * A file lock is held by an open file description, which any process that has
 * it may unlock; the rows of one description share the thread that took it. Who
 * asks for a shared lock of his own to become exclusive is not in his own way.
 */
uint32_t providers_on_file_lock(struct providers *pr, uint32_t thread)
{
	const struct state *st = pr->st;
	const struct state_thread *t = &st->threads[thread];
	const struct state_lock *l = state_lock_of(st, &t->wait);
	uint32_t node;
	size_t n = 0;

	if (!l)
		return LIVE;
	if (t->wait.replaces)
		node = fixpoint_add(&pr->graph, FIXPOINT_ALL);
	else if (providers_shared(pr, SHARE_HOLDERS, (uint64_t)l->id, FIXPOINT_ALL, &node))
		return node;
	for (uint32_t h = l->first_holder; h != STATE_NONE; h = st->holders[h].next)
		if (!is_done(st, l, h) &&
			!(t->wait.replaces && shares(st, l, st->holders[h].thread_id, t->process)))
			n += add_description(pr, node, h);
	if (!n)
		pr->graph.nodes[node].source = true;
	return node;
}

/* Who took a semaphore last has it, if it is used as a lock. */
static bool has_taker(const struct state_lock *l)
{
	return l->from_birth && l->initial == 1 && l->has_stat && !l->foreign_posts &&
	       l->last_taker_id;
}

bool providers_sem_is_lock(const struct state_lock *l, const struct state_thread *waiter)
{
	return has_taker(l) && l->last_taker_id != waiter->id;
}

bool providers_sem_is_own(const struct state_lock *l, const struct state_thread *waiter)
{
	return has_taker(l) && l->last_taker_id == waiter->id && l->value == 0;
}

bool providers_is_copy(const struct state *st, const struct state_lock *l, int64_t thread_id)
{
	int64_t process;

	if (l->pshared || !l->process_id || !thread_id)
		return false;
	process = query_number(st->db, "SELECT process_id FROM thread WHERE id = ?1", thread_id,
		l->process_id, st->why);
	return providers_memory_of(st, process) != providers_memory_of(st, l->process_id);
}

/*
 * Says whether the program of another process that has the semaphore may be told by a signal to post it, which is one of the few
 * things that a handler may do (signal-safety(7)), whatever its thread waits for.
 */
static bool others_are_told(const struct state *st, const struct state_lock *l, uint32_t process)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = l->pshared
			 ? query_one(st->db, "SELECT process_id FROM lock_user WHERE lock_id = ?1",
				   l->id, &stmt, st->why)
			 : 0;

	for (; rc > 0; rc = query_step(stmt, st->why)) {
		uint32_t p = state_process(st, query_int(stmt, 0, 0));

		if (p == STATE_NONE || p == process || !st->processes[p].alive)
			continue;
		for (uint32_t t = st->processes[p].first; t != STATE_NONE; t = st->threads[t].next)
			if (state_lets_in(st, t))
				return true;
	}
	return false;
}

uint32_t providers_on_sem(struct providers *pr, uint32_t thread)
{
	const struct state *st = pr->st;
	const struct state_thread *t = &st->threads[thread];
	const struct state_lock *l = state_lock_of(st, &t->wait);
	uint32_t all;

	if (!l || l->value > 0)
		return LIVE;
	all = providers_reach(pr, l, thread);
	if (l->outside && l->is_named)
		providers_maybe(pr, thread, MAYBE_SEM);
	if (providers_sem_is_lock(l, t)) {
		uint32_t taker = state_thread(st, l->last_taker_id);

		/* Who has it returns the original, not this copy. */
		if (providers_is_copy(st, l, l->last_taker_id))
			return all;
		/* Unlike a mutex, it may be posted by anybody; but who cannot go on will not. */
		if (taker != STATE_NONE &&
			(!pr->generous || (l->cycles > 0 && !has_live_user(pr->strict, l))))
			return taker;
		providers_maybe(pr, thread, MAYBE_POST);
		return all;
	}
	if (state_catches_any(st, t->process) || others_are_told(st, l, t->process))
		providers_maybe(pr, thread, MAYBE_SIGNAL);
	return all;
}
