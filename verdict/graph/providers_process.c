/* providers_process.c - what waits for processes, threads and signals rest on. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/private.h"

#include "schema/query.h"

#include <signal.h>

/* Says whether a thread waits for something that it could be told, not for a lock or the end of another. */
static bool could_be_told(const struct state *st, uint32_t thread, uint32_t by)
{
	enum wait_reason reason = st->threads[thread].wait.reason;

	(void)by;
	return wait_info(reason)->kind != KIND_LOCK && reason != WAIT_CHILD && reason != WAIT_JOIN;
}

/* Says whether one of the pipes that a thread polls is one into which a process may write. */
static bool polls_from(const struct state *st, uint32_t thread, uint32_t process)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_one(st->db,
		"SELECT pipe_id, side FROM wait_on WHERE wait_id = ?1 AND kind = 'pipe'",
		st->threads[thread].wait.id, &stmt, st->why);

	for (; rc > 0; rc = query_step(stmt, st->why)) {
		uint32_t p = state_pipe(st, query_int(stmt, 0, 0));

		if (p != STATE_NONE &&
			state_holds_other_end(st, &st->pipes[p], query_int(stmt, 1, 0) != 0, true,
				st->processes[process].id))
			return true;
	}
	return false;
}

/* Says whether a thread waits to read from a pipe into which a process may write. */
static bool reads_from(const struct state *st, uint32_t thread, uint32_t process)
{
	enum wait_reason reason = st->threads[thread].wait.reason;

	return (reason == WAIT_PIPE_READ && state_has_other_end(st, thread, process)) ||
	       (reason == WAIT_POLL && polls_from(st, thread, process));
}

/* Says whether a thread of a living descendant waits in such a way. */
static bool any_descendant(const struct state *st, uint32_t process,
	bool (*waits)(const struct state *st, uint32_t thread, uint32_t process))
{
	uint32_t p = providers_descendant(st, process, process);

	/* In a damaged file they may be a ring. */
	for (size_t n = 0; p != STATE_NONE && n < st->n_processes; n++) {
		for (uint32_t t = st->processes[p].first; t != STATE_NONE; t = st->threads[t].next)
			if (waits(st, t, process))
				return true;
		p = providers_descendant(st, process, p);
	}
	return false;
}

uint32_t providers_on_child(struct providers *pr, uint32_t thread)
{
	const struct state *st = pr->st;
	const struct state_wait *w = &st->threads[thread].wait;
	uint32_t me = st->threads[thread].process;

	/*
	 * Such a handler may tell the child what to do, or to end. One of Python's may do anything, put something into the queue that children
	 * read from, say; then it waits again.
	 */
	if ((state_takes_requests(st, me) && any_descendant(st, me, could_be_told)) ||
		(state_ends_in_order(st, me) && any_descendant(st, me, reads_from)) ||
		(st->processes[me].is_python && st->threads[thread].is_main &&
			st->processes[me].orders & ~w->sigmask))
		providers_maybe(pr, thread, MAYBE_SIGNAL);
	/* So may a shutdown hook, or a trap. */
	if (st->processes[me].hooks == HOOKS_SOME && any_descendant(st, me, reads_from))
		providers_maybe(
			pr, thread, st->processes[me].interrupts ? MAYBE_SIGNAL : MAYBE_HOOK);
	if (w->target_process_id) {
		uint32_t p = state_process(st, w->target_process_id);

		return p == STATE_NONE || !st->processes[p].alive ? LIVE : pr->process_node[p];
	}
	/* Without a child the call fails at once: it is on its way, or waits for somebody who is not its child. */
	return st->processes[me].child == STATE_NONE ? LIVE : providers_children(pr, me);
}

/* Waiting for a signal as such: anybody may send one; SIGCHLD comes from the children. Who takes it from a signalfd blocks it. */
uint32_t providers_on_signal(struct providers *pr, uint32_t thread)
{
	const struct state_thread *t = &pr->st->threads[thread];

	providers_maybe(pr, thread, MAYBE_SENT);
	if (t->wait.awaits ? !state_awaits(t, SIGCHLD)
			   : t->wait.sigmask & UINT64_C(1) << (SIGCHLD - 1) &&
				     !state_is_for_some(pr->st, t))
		return fixpoint_add(&pr->graph, FIXPOINT_ANY);
	return providers_child_signals(pr, pr->st->threads[thread].process);
}

/* Who stopped it will continue it, if that was a debugger, or pptrace itself. Else anybody may; nobody in particular has to. */
uint32_t providers_on_stopped(struct providers *pr, uint32_t thread)
{
	const struct state *st = pr->st;
	const struct state_thread *t = &st->threads[thread];

	if (!t->wait.continues && state_process(st, t->wait.target_process_id) != STATE_NONE) {
		providers_maybe(pr, thread, MAYBE_TRACED);
		return providers_on_process(pr, thread);
	}
	if (!t->wait.continues ||
		query_number(st->db,
			"SELECT EXISTS (SELECT 1 FROM signal WHERE process_id = ?1 AND signo = 19"
			" AND source = 'pptrace')",
			st->processes[t->process].id, 0, st->why))
		return LIVE;
	providers_maybe(pr, thread, MAYBE_STOPPED);
	return fixpoint_add(&pr->graph, FIXPOINT_ANY);
}

uint32_t providers_on_thread(struct providers *pr, uint32_t thread)
{
	uint32_t t = state_thread(pr->st, pr->st->threads[thread].wait.target_thread_id);

	providers_maybe_told(pr, thread);
	return t == STATE_NONE ? LIVE : t;
}

/* A snapshot does not know who runs the initialiser: it is some thread that reaches the object. */
uint32_t providers_on_once(struct providers *pr, uint32_t thread)
{
	const struct state_wait *w = &pr->st->threads[thread].wait;

	return w->target_thread_id ? providers_on_thread(pr, thread)
				   : providers_on_memory(pr, thread);
}

uint32_t providers_on_process(struct providers *pr, uint32_t thread)
{
	uint32_t p = state_process(pr->st, pr->st->threads[thread].wait.target_process_id);

	return p == STATE_NONE || !pr->st->processes[p].alive ? LIVE : pr->process_node[p];
}

/* It has a name: nothing tells whether others know it. Two who each open a FIFO of his own are a service, as a rule. */
uint32_t providers_on_fifo_open(struct providers *pr, uint32_t thread)
{
	providers_maybe(pr, thread, MAYBE_FIFO);
	return providers_everybody(pr);
}

uint32_t providers_on_eventfd(struct providers *pr, uint32_t thread)
{
	providers_maybe(pr, thread, MAYBE_EVENTFD);
	return providers_family(pr, pr->st->threads[thread].process);
}

/* Which of several timers a descriptor is need not be known as long as none of the trace is armed. */
uint32_t providers_on_timerfd(struct providers *pr, uint32_t thread)
{
	if (!pr->st->timerfds_rest)
		return LIVE;
	providers_maybe(pr, thread, MAYBE_TIMERFD);
	return providers_family(pr, pr->st->threads[thread].process);
}

/* Anybody may change a file, also from outside: nothing tells who does. */
uint32_t providers_on_watch(struct providers *pr, uint32_t thread)
{
	providers_maybe(pr, thread, MAYBE_WATCH);
	if (state_catches_any(pr->st, pr->st->threads[thread].process))
		providers_maybe(pr, thread, MAYBE_SIGNAL);
	return providers_everybody(pr);
}

/* Whoever knows the number or the name of a queue can use it, also from outside. */
uint32_t providers_on_ipc(struct providers *pr, uint32_t thread)
{
	providers_maybe(
		pr, thread, pr->st->threads[thread].wait.is_private ? MAYBE_NUMBER : MAYBE_IPC);
	if (state_catches_any(pr->st, pr->st->threads[thread].process))
		providers_maybe(pr, thread, MAYBE_SIGNAL);
	return providers_everybody(pr);
}

uint32_t providers_on_outside(struct providers *pr, uint32_t thread)
{
	(void)pr;
	(void)thread;
	return LIVE;
}
