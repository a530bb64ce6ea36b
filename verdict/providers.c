/* providers.c - what each blocked thread rests on: the wait-for graph of one moment. */
/* SPDX-License-Identifier: MIT */
/*
 * Every function rest_on_... takes a thread that is blocked in one way and
 * returns the node that its wait rests on, or LIVE: the outside world can end
 * it, or too little is known to deny that. Whatever is doubtful is LIVE: a
 * missed deadlock is a pity, an invented one a lie.
 */
#include "verdict/providers.h"

#include "base/buf.h"
#include "verdict/query.h"

#include <errno.h>
#include <signal.h>

#define LIVE UINT32_MAX

static void outside_may(struct providers *pr, uint32_t thread, enum maybe how)
{
	if (pr->generous)
		pr->maybe[thread] |= how;
}

/* ---- Nodes that several waiters share ---- */

enum share {
	SHARE_MEMORY,
	SHARE_HOLDERS,
	SHARE_READERS_TURN,
	SHARE_REACH,
	SHARE_PIPE,
	SHARE_CHILDREN
};

/* Returns true and the node if it is made already; else makes it: the caller adds its edges. */
static bool shared_node(
	struct providers *pr, enum share what, uint64_t key, enum web_mode mode, uint32_t *ret)
{
	uint64_t k = hash_mix((uint64_t)what, key, 1);
	uintptr_t known = (uintptr_t)hash_get(&pr->shared, k);

	if (known) {
		*ret = (uint32_t)(known - 1);
		return true;
	}
	*ret = web_add(&pr->web, mode);
	(void)hash_set(&pr->shared, k, (void *)(uintptr_t)(*ret + 1));
	return false;
}

/* All living threads of the trace. */
static uint32_t everybody(struct providers *pr)
{
	if (pr->everybody == STATE_NONE) {
		pr->everybody = web_add(&pr->web, WEB_ANY);
		for (size_t i = 0; i < pr->st->n_processes; i++)
			if (pr->st->processes[i].alive)
				web_edge(&pr->web, pr->everybody, pr->process_node[i]);
	}
	return pr->everybody;
}

/* The living children of a process, orphans among its descendants included. LIVE: one has ended and can be reaped. */
static uint32_t children(struct providers *pr, uint32_t process)
{
	const struct state *st = pr->st;
	uint32_t node;

	if (st->processes[process].has_zombie)
		return LIVE;
	if (shared_node(pr, SHARE_CHILDREN, process, WEB_ANY, &node))
		return node;
	for (uint32_t c = st->processes[process].child; c != STATE_NONE;
		c = st->processes[c].sibling)
		web_edge(&pr->web, node, pr->process_node[c]);
	return node;
}

static int add_users(struct providers *pr, uint32_t node, int64_t lock_id, size_t *ret_n)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	const struct state *st = pr->st;
	int rc = query_one(st->db,
		"SELECT process_id, coalesce(end_ns, 9223372036854775807), start_ns FROM lock_user"
		" WHERE lock_id = ?1",
		lock_id, &stmt, &why);

	for (; rc > 0; rc = query_step(stmt, &why)) {
		uint32_t p = state_process(st, query_int(stmt, 0, 0));

		if (p == STATE_NONE || !st->processes[p].alive ||
			query_int(stmt, 1, 0) <= st->now_ns || query_int(stmt, 2, 0) > st->now_ns)
			continue;
		web_edge(&pr->web, node, pr->process_node[p]);
		++*ret_n;
	}
	return rc;
}

/* The process in whose memory the private objects of a process lie. */
static int64_t memory_of(const struct state *st, int64_t process_id)
{
	uint32_t p = st->shares_memory ? state_process(st, process_id) : STATE_NONE;

	return p == STATE_NONE ? process_id : st->processes[p].memory_id;
}

/* All threads that run in one memory: those of one process, as a rule. */
static uint32_t memory(struct providers *pr, uint32_t process)
{
	const struct state *st = pr->st;
	int64_t id = st->processes[process].memory_id;
	uint32_t node;

	if (!st->shares_memory)
		return pr->process_node[process];
	if (shared_node(pr, SHARE_MEMORY, (uint64_t)id, WEB_ANY, &node))
		return node;
	for (size_t i = 0; i < st->n_processes; i++)
		if (st->processes[i].alive && st->processes[i].memory_id == id)
			web_edge(&pr->web, node, pr->process_node[i]);
	return node;
}

/* Every thread that can reach an object: those of its process, or of all processes that map it. */
static uint32_t reach(struct providers *pr, const struct state_lock *l, uint32_t thread)
{
	const struct state_thread *t = &pr->st->threads[thread];
	uint32_t node;
	size_t users = 0;

	if (!l)
		return LIVE;
	if (!l->pshared)
		return memory_of(pr->st, l->process_id) == pr->st->processes[t->process].memory_id
			       ? memory(pr, t->process)
			       : LIVE;
	if (!shared_node(pr, SHARE_REACH, (uint64_t)l->id, WEB_ANY, &node)) {
		/* Nobody known to map it, though somebody waits on it: not enough is known. */
		if (add_users(pr, node, l->id, &users) < 0 || !users)
			pr->web.nodes[node].source = true;
	}
	if (l->outside)
		outside_may(pr, thread, MAYBE_SHARED);
	return node;
}

/* ---- Locks ---- */

static const struct state_lock *lock_of(const struct state *st, const struct state_wait *w)
{
	uint32_t l = state_lock(st, w->lock_id);

	return l == STATE_NONE ? NULL : &st->locks[l];
}

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
	bool copied =
		t != STATE_NONE && !l->pshared &&
		st->processes[st->threads[t].process].memory_id != memory_of(st, l->process_id);

	web_edge(&pr->web, node, t == STATE_NONE || copied ? web_add(&pr->web, WEB_ANY) : t);
}

/* A waiting writer that asked no later than a reader who waits though only readers hold the lock. */
static uint32_t queued_writers(struct providers *pr, const struct state_lock *l)
{
	const struct state *st = pr->st;
	uint32_t node;
	size_t n = 0;

	if (shared_node(pr, SHARE_READERS_TURN, (uint64_t)l->id, WEB_ALL, &node))
		return node;
	for (size_t i = 0; i < st->n_threads; i++) {
		const struct state_thread *t = &st->threads[i];

		if (!t->waits || t->wait.reason != WAIT_LOCK || t->wait.lock_id != l->id ||
			t->wait.shared)
			continue;
		web_edge(&pr->web, node, (uint32_t)i);
		n++;
	}
	if (!n)
		pr->web.nodes[node].source = true;
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
	node = web_add(&pr->web, WEB_ALL);
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
		/* Whoever has such a mutex already would not have been put to sleep. */
		if (l->reentrant && holder->thread_id == st->threads[thread].id)
			return true;
	}
	return false;
}

/* Says whether somebody who could reach the lock can go on as it is. */
static bool has_live_user(const struct providers *pr, const struct state_lock *l)
{
	const struct state *st = pr->st;

	for (size_t i = 0; pr->strict && i < st->n_processes; i++)
		if (st->processes[i].alive &&
			(l->pshared || l->process_id == st->processes[i].id) &&
			pr->strict->web.nodes[pr->strict->process_node[i]].live)
			return true;
	return false;
}

static uint32_t rest_on_lock(struct providers *pr, uint32_t thread)
{
	const struct state *st = pr->st;
	const struct state_wait *w = &st->threads[thread].wait;
	const struct state_lock *l = lock_of(st, w);
	bool written = false, reader = w->shared && l && l->kind == LOCK_RWLOCK;
	uint32_t node;

	if (!l || is_doubtful(st, l, thread))
		return LIVE;
	if (l->foreign && !l->reentrant && !l->robust && has_live_user(pr, l))
		outside_may(pr, thread, MAYBE_UNLOCK);
	/* Who reads is written nowhere in a rwlock; but a waiter that was seen asleep waits for somebody who can reach it. */
	if (l->first_holder == STATE_NONE && l->kind == LOCK_RWLOCK && st->instant)
		return reach(pr, l, thread);
	if (l->first_holder == STATE_NONE)
		return l->kind == LOCK_MUTEX ? hinted_holder(pr, l, w) : LIVE;
	for (uint32_t h = l->first_holder; h != STATE_NONE; h = st->holders[h].next)
		written = written || !st->holders[h].shared;
	if (reader && !written)
		return queued_writers(pr, l);
	if (shared_node(pr, SHARE_HOLDERS, (uint64_t)l->id, WEB_ALL, &node))
		return node;
	for (uint32_t h = l->first_holder; h != STATE_NONE; h = st->holders[h].next)
		add_holder(pr, node, l, st->holders[h].thread_id);
	return node;
}

/*
 * A file lock is held by an open file description, which any process that has
 * it may unlock; the rows of one description share the thread that took it.
 */
static uint32_t rest_on_file_lock(struct providers *pr, uint32_t thread)
{
	const struct state *st = pr->st;
	const struct state_lock *l = lock_of(st, &st->threads[thread].wait);
	uint32_t node;
	size_t n = 0;

	if (!l)
		return LIVE;
	if (shared_node(pr, SHARE_HOLDERS, (uint64_t)l->id, WEB_ALL, &node))
		return node;
	for (uint32_t h = l->first_holder; h != STATE_NONE; h = st->holders[h].next) {
		int64_t taker = st->holders[h].thread_id;
		uint32_t description = STATE_NONE;

		for (uint32_t k = l->first_holder; k != h; k = st->holders[k].next)
			if (st->holders[k].thread_id == taker)
				description = 0; /* done with the first of its rows */
		if (description == 0)
			continue;
		for (uint32_t k = h; k != STATE_NONE; k = st->holders[k].next) {
			uint32_t p = state_process(st, st->holders[k].process_id);

			if (st->holders[k].thread_id != taker || p == STATE_NONE ||
				!st->processes[p].alive)
				continue;
			if (description == STATE_NONE) {
				description = web_add(&pr->web, WEB_ANY);
				web_edge(&pr->web, node, description);
				n++;
			}
			web_edge(&pr->web, description, pr->process_node[p]);
		}
	}
	if (!n)
		pr->web.nodes[node].source = true;
	return node;
}

bool providers_sem_is_lock(const struct state_lock *l, const struct state_thread *waiter)
{
	return l->from_birth && l->initial == 1 && l->has_stat && !l->foreign_posts &&
	       l->last_taker_id && l->last_taker_id != waiter->id;
}

static uint32_t rest_on_sem(struct providers *pr, uint32_t thread)
{
	const struct state *st = pr->st;
	const struct state_thread *t = &st->threads[thread];
	const struct state_lock *l = lock_of(st, &t->wait);
	uint32_t all;

	if (!l || l->value > 0)
		return LIVE;
	all = reach(pr, l, thread);
	if (l->outside)
		outside_may(pr, thread, MAYBE_SEM);
	if (providers_sem_is_lock(l, t)) {
		uint32_t taker = state_thread(st, l->last_taker_id);

		if (taker != STATE_NONE && (l->cycles > 0 || !pr->generous))
			return taker;
		outside_may(pr, thread, MAYBE_POST);
		return all;
	}
	if (state_catches_any(st, t->process))
		outside_may(pr, thread, MAYBE_SIGNAL);
	return all;
}

/* ---- Pipes ---- */

/* What a read (or a write) on this side of a pipe rests on: whoever holds the opposite end. */
static uint32_t opposite(struct providers *pr, const struct state_pipe *p, int side, bool read)
{
	const struct state *st = pr->st;
	uint32_t node;
	size_t n = 0;

	if (!p->known_from_birth || p->under_way)
		return LIVE;
	if (p->is_socketpair ? (side ? p->read_outside : p->write_outside)
			     : (read ? p->write_outside : p->read_outside))
		return LIVE;
	if (shared_node(pr, SHARE_PIPE, (uint64_t)p->id * 4 + (uint64_t)side * 2 + read, WEB_ANY,
		    &node))
		return node;
	for (uint32_t i = p->first_end; i < p->first_end + p->n_ends; i++) {
		const struct state_end *e = &st->ends[i];
		uint32_t process = state_process(st, e->process_id);

		if (p->is_socketpair ? e->side == side : read ? !e->writes : !e->reads)
			continue;
		if (process == STATE_NONE || !st->processes[process].alive)
			continue;
		web_edge(&pr->web, node, pr->process_node[process]);
		n++;
	}
	/* With nobody left the call returns (end of file, EPIPE): it is on its way. */
	if (!n)
		pr->web.nodes[node].source = true;
	return node;
}

/* Says whether the process itself holds the end that its thread waits for. */
static bool waits_for_itself(
	const struct state *st, const struct state_pipe *p, int side, bool read, int64_t process_id)
{
	for (uint32_t i = p->first_end; i < p->first_end + p->n_ends; i++) {
		const struct state_end *e = &st->ends[i];

		if (e->process_id == process_id && (p->is_socketpair ? e->side != side
							   : read    ? e->writes
								     : e->reads))
			return true;
	}
	return false;
}

static uint32_t rest_on_pipe(
	struct providers *pr, uint32_t thread, int64_t pipe_id, int side, bool read)
{
	const struct state *st = pr->st;
	const struct state_thread *t = &st->threads[thread];
	uint32_t p = state_pipe(st, pipe_id);
	bool own;

	if (p == STATE_NONE)
		return LIVE;
	own = waits_for_itself(st, &st->pipes[p], side, read, st->processes[t->process].id);
	/* Who polls an end that it holds itself is an event loop at rest, whatever it catches. */
	if (own && (t->wait.reason == WAIT_POLL || state_catches_any(st, t->process)))
		outside_may(pr, thread, MAYBE_SIGNAL);
	/* A server keeps an end of its own FIFO open, and waits for whoever comes. */
	if (own && st->pipes[p].is_fifo)
		outside_may(pr, thread, MAYBE_FIFO);
	if (pr->reopens && !st->pipes[p].is_socketpair)
		outside_may(pr, thread, MAYBE_REOPEN);
	return opposite(pr, &st->pipes[p], side, read);
}

/* ---- The others ---- */

static uint32_t rest_on_child(struct providers *pr, uint32_t thread)
{
	const struct state *st = pr->st;
	const struct state_wait *w = &st->threads[thread].wait;
	uint32_t me = st->threads[thread].process;

	if (w->target_process_id) {
		uint32_t p = state_process(st, w->target_process_id);

		return p == STATE_NONE || !st->processes[p].alive ? LIVE : pr->process_node[p];
	}
	/* Without a child the call fails at once: it is on its way, or waits for somebody that is no child. */
	return st->processes[me].child == STATE_NONE ? LIVE : children(pr, me);
}

/* Waiting for a signal as such: anybody may send one; SIGCHLD comes from the children. */
static uint32_t rest_on_signal(struct providers *pr, uint32_t thread)
{
	outside_may(pr, thread, MAYBE_SENT);
	if (pr->st->threads[thread].wait.sigmask & UINT64_C(1) << (SIGCHLD - 1))
		return web_add(&pr->web, WEB_ANY);
	return children(pr, pr->st->threads[thread].process);
}

static uint32_t rest_on_polled(struct providers *pr, uint32_t thread, sqlite3_stmt *item)
{
	const char *kind = query_text(item, 0), *mode = query_text(item, 1);
	uint32_t p, node;

	if (!strcmp(kind, "process")) {
		p = state_process(pr->st, query_int(item, 4, 0));
		return p == STATE_NONE || !pr->st->processes[p].alive ? LIVE : pr->process_node[p];
	}
	if (!strcmp(kind, "eventfd")) {
		outside_may(pr, thread, MAYBE_EVENTFD);
		return everybody(pr);
	}
	if (!strcmp(kind, "signalfd"))
		return rest_on_signal(pr, thread);
	if (strcmp(kind, "pipe") != 0)
		return LIVE;
	node = web_add(&pr->web, WEB_ANY);
	for (int read = 0; read < 2; read++) {
		if (!strchr(mode, read ? 'r' : 'w'))
			continue;
		p = rest_on_pipe(
			pr, thread, query_int(item, 2, 0), query_int(item, 3, 0) != 0, read);
		if (p == LIVE)
			return LIVE;
		web_edge(&pr->web, node, p);
	}
	return *mode ? node : LIVE;
}

/* A set that is not known, or is empty, may be anything: live. */
static uint32_t rest_on_poll(struct providers *pr, uint32_t thread)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	uint32_t node = web_add(&pr->web, WEB_ANY);
	size_t n = 0;
	int rc = query_one(pr->st->db,
		"SELECT kind, mode, pipe_id, side, process_id FROM wait_on WHERE wait_id = ?1"
		" ORDER BY ordinal",
		pr->st->threads[thread].wait.id, &stmt, &why);

	for (; rc > 0; rc = query_step(stmt, &why), n++) {
		uint32_t item = rest_on_polled(pr, thread, stmt);

		if (item == LIVE)
			return LIVE;
		web_edge(&pr->web, node, item);
	}
	return rc || !n ? LIVE : node;
}

static uint32_t rest_on_thread(struct providers *pr, uint32_t thread)
{
	uint32_t t = state_thread(pr->st, pr->st->threads[thread].wait.target_thread_id);

	return t == STATE_NONE ? LIVE : t;
}

static uint32_t rest_on_process(struct providers *pr, uint32_t thread)
{
	uint32_t p = state_process(pr->st, pr->st->threads[thread].wait.target_process_id);

	return p == STATE_NONE || !pr->st->processes[p].alive ? LIVE : pr->process_node[p];
}

static uint32_t rest_on_futex(struct providers *pr, uint32_t thread)
{
	const struct state_thread *t = &pr->st->threads[thread];

	if (state_catches_any(pr->st, t->process))
		outside_may(pr, thread, MAYBE_SIGNAL);
	return reach(pr, lock_of(pr->st, &t->wait), thread);
}

static uint32_t rest_on(struct providers *pr, uint32_t thread)
{
	const struct state_wait *w = &pr->st->threads[thread].wait;

	switch (w->reason) {
	case WAIT_LOCK:
		return rest_on_lock(pr, thread);
	case WAIT_COND:
	case WAIT_BARRIER:
		return reach(pr, lock_of(pr->st, w), thread);
	case WAIT_SEM:
		return rest_on_sem(pr, thread);
	case WAIT_JOIN:
	case WAIT_ONCE:
		return rest_on_thread(pr, thread);
	case WAIT_VFORK:
		return rest_on_process(pr, thread);
	case WAIT_CHILD:
		return rest_on_child(pr, thread);
	case WAIT_PIPE_READ:
		return rest_on_pipe(pr, thread, w->pipe_id, w->side, true);
	case WAIT_PIPE_WRITE:
		return rest_on_pipe(pr, thread, w->pipe_id, w->side, false);
	case WAIT_FIFO_OPEN:
		if (!pr->fifos_certain)
			outside_may(pr, thread, MAYBE_FIFO);
		return everybody(pr);
	case WAIT_FILE_LOCK:
		return rest_on_file_lock(pr, thread);
	case WAIT_POLL:
		return rest_on_poll(pr, thread);
	case WAIT_SIGNAL:
		return rest_on_signal(pr, thread);
	case WAIT_FUTEX:
		return rest_on_futex(pr, thread);
	case WAIT_EVENTFD:
		outside_may(pr, thread, MAYBE_EVENTFD);
		return everybody(pr);
	case WAIT_NONE:
	case WAIT_SOCKET:
	case WAIT_SLEEP:
	case WAIT_TTY:
	case WAIT_FILE:
	case WAIT_IPC:
	case WAIT_STOPPED:
	case WAIT_OTHER:
	case WAIT_REASON_END:
		break;
	}
	return LIVE;
}

/* ---- Signals, and all together ---- */

static bool is_hearing(const struct state *st, uint32_t thread)
{
	static const bool hearing[WAIT_REASON_END] = {
#define HEARING true
#define DEAF false
#define WAIT(NAME, number, name, mode, deafness, words, colour) [number] = deafness,
#include "schema/waits.def"
#undef WAIT
#undef HEARING
#undef DEAF
	};
	const struct state_thread *t = &st->threads[thread];
	const struct state_lock *l = lock_of(st, &t->wait);

	if (t->wait.reason == WAIT_SEM && l && providers_sem_is_lock(l, t))
		return false;
	return hearing[t->wait.reason];
}

static void add_thread(struct providers *pr, uint32_t thread)
{
	const struct state *st = pr->st;
	const struct state_thread *t = &st->threads[thread];
	const struct state_process *p = &st->processes[t->process];
	struct web *g = &pr->web;
	uint32_t node;

	if (!t->waits || t->wait.timed || p->alarm_kills ||
		(p->alarm_rings && is_hearing(st, thread))) {
		g->nodes[thread].source = true;
		return;
	}
	node = rest_on(pr, thread);
	/* Who might post a semaphore is known: its node says whether they can. */
	if (node == LIVE || pr->maybe[thread] & ~(unsigned)MAYBE_POST) {
		g->nodes[thread].source = true;
		return;
	}
	web_edge(g, thread, node);
	if (is_hearing(st, thread) && state_catches(st, thread, SIGCHLD)) {
		node = children(pr, t->process);
		if (node == LIVE)
			g->nodes[thread].source = true;
		else
			web_edge(g, thread, node);
	}
}

/* Says whether a process that can go on may open pipes that it does not hold. */
static bool may_reopen(const struct providers *strict)
{
	const struct state *st = strict->st;

	for (size_t i = 0; i < st->n_processes; i++)
		if (st->processes[i].alive && st->processes[i].reopens &&
			strict->web.nodes[strict->process_node[i]].live)
			return true;
	return false;
}

/* Two members that block in opening different FIFOs: whoever is outside would have to come twice. */
static bool opens_crossed(const struct providers *strict)
{
	const struct state *st = strict->st;
	int64_t first = 0;

	for (size_t i = 0; i < st->n_threads; i++) {
		const struct state_wait *w = &st->threads[i].wait;

		if (!st->threads[i].waits || w->reason != WAIT_FIFO_OPEN || !w->pipe_id ||
			strict->web.nodes[i].live)
			continue;
		if (first && w->pipe_id != first)
			return true;
		first = w->pipe_id;
	}
	return false;
}

int providers_build(struct providers *pr, const struct state *st, const struct providers *strict,
	struct buf *why)
{
	(void)why;
	*pr = (struct providers){.st = st, .everybody = STATE_NONE, .generous = strict != NULL};
	pr->strict = strict;
	pr->fifos_certain = strict && opens_crossed(strict);
	pr->reopens = strict && may_reopen(strict);
	pr->maybe = xcalloc(st->n_threads + 1, sizeof *pr->maybe);
	pr->process_node = xcalloc(st->n_processes + 1, sizeof *pr->process_node);
	for (size_t i = 0; i < st->n_threads; i++)
		(void)web_add(&pr->web, WEB_ANY);
	for (size_t i = 0; i < st->n_processes; i++) {
		uint32_t node = pr->process_node[i] = web_add(&pr->web, WEB_ANY);

		for (uint32_t t = st->processes[i].first; t != STATE_NONE; t = st->threads[t].next)
			web_edge(&pr->web, node, t);
		/* Alive, but no thread of it is known: nothing can be said about it. */
		if (st->processes[i].alive && st->processes[i].first == STATE_NONE)
			pr->web.nodes[node].source = true;
	}
	for (size_t i = 0; i < st->n_threads; i++)
		add_thread(pr, (uint32_t)i);
	web_solve(&pr->web);
	return 0;
}

void providers_done(struct providers *pr)
{
	web_done(&pr->web);
	hash_done(&pr->shared);
	free(pr->maybe);
	free(pr->process_node);
	*pr = (struct providers){0};
}
