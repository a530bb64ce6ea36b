/* missing.c - which sets that look like programs at rest lack something: nothing will ever wake them. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/sets/private.h"

#include <signal.h>

#include "base/buf.h"
#include "schema/names.h"
#include "schema/query.h"
#include "schema/version.h"

/* Says whether a thread is that of a shell that sleeps until SIGCHLD comes, with a child that lives: a trap runs, and it waits again. */
static bool is_waiting_shell(const struct state *st, uint32_t thread)
{
	const struct state_process *p = &st->processes[st->threads[thread].process];

	return p->is_ash && p->child != STATE_NONE &&
	       st->threads[thread].wait.reason == WAIT_SIGNAL && state_catches(st, thread, SIGCHLD);
}

/* Says whether a thread of another process of the set reads from the same FIFO. */
static bool is_read_by_others(const struct finder *f, const struct stuck_set *s, uint32_t member)
{
	const struct state_thread *t = &f->st->threads[member];

	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_thread *o = &f->st->threads[s->members[i]];

		if (o->process != t->process && o->wait.reason == WAIT_PIPE_READ &&
			o->wait.pipe_id == t->wait.pipe_id)
			return true;
	}
	return false;
}

/*
 * Says whether another member has a FIFO, too, and waits for the program that it has given it to. A shell that reads its own
 * FIFO in a subshell takes orders from there; what it starts reads to an end.
 */
static bool is_handed_down(const struct finder *f, const struct stuck_set *s, uint32_t member,
	const struct state_pipe *p)
{
	const struct state *st = f->st;

	for (size_t i = 0; i < s->n_members + s->n_behind; i++) {
		uint32_t other = i < s->n_members ? s->members[i] : s->behind[i - s->n_members];
		uint32_t process = st->threads[other].process;

		if ((st->threads[other].wait.reason != WAIT_CHILD &&
			    !is_waiting_shell(st, other)) ||
			!state_is_ancestor(st, process, st->threads[member].process) ||
			sets_is_same_program(f, process, st->threads[member].process))
			continue;
		for (uint32_t e = p->first_end; e < p->first_end + p->n_ends; e++)
			if (st->ends[e].process_id == st->processes[process].id)
				return true;
	}
	return false;
}

/* Says whether more was read from a FIFO than the trace has written to it: somebody outside gives it orders, or lines to keep. */
static bool is_fed_from_outside(const struct finder *f, int64_t pipe_id)
{
	return providers_may_look_through(f->st) &&
	       query_number(f->st->db,
		       "SELECT sum(bytes * (op = 'read')) > sum(bytes * (op = 'write')) FROM pipe_io WHERE pipe_id = ?1",
		       pipe_id, 0, f->st->why);
}

/*
 * A FIFO that one process has opened for both sides serves itself and its children as a pipe does: nobody else has
 * come to it, and it has been written to, or who opened it waits for the child that reads. A server reads its own.
 */
static bool is_family_fifo(const struct finder *f, const struct stuck_set *s, uint32_t member)
{
	const struct state *st = f->st;
	const struct state_wait *w = &st->threads[member].wait;
	uint32_t p = state_pipe(st, w->pipe_id);

	return p != STATE_NONE && st->pipes[p].is_fifo && w->reason == WAIT_PIPE_READ &&
	       !is_fed_from_outside(f, w->pipe_id) &&
	       query_number(st->db,
		       "SELECT count(DISTINCT process_id) <= 1 FROM pipe_end WHERE pipe_id = ?1"
		       " AND open_via = 'opened'",
		       w->pipe_id, 0, st->why) &&
	       ((is_handed_down(f, s, member, &st->pipes[p]) && !is_read_by_others(f, s, member)) ||
		       query_number(st->db,
			       "SELECT EXISTS (SELECT 1 FROM pipe_io WHERE pipe_id = ?1 AND op = 'write')",
			       w->pipe_id, 0, st->why));
}

/*
 * A FIFO with tokens, as make gives to its jobs: several read it who hold both sides, one of them has written to it, and all that was
 * ever read the trace itself had written. Workers that take orders get these from others.
 */
static bool is_token_fifo(const struct finder *f, const struct stuck_set *s, uint32_t member)
{
	const struct state *st = f->st;
	const struct state_thread *t = &st->threads[member];
	uint32_t p = state_pipe(st, t->wait.pipe_id);

	return p != STATE_NONE && st->pipes[p].is_fifo && t->wait.reason == WAIT_PIPE_READ &&
	       state_has_own_end(st, member) && is_read_by_others(f, s, member) &&
	       providers_may_look_through(st) &&
	       query_pair(st->db,
		       "SELECT max(op = 'write' AND thread_id IN (SELECT id FROM thread WHERE process_id = ?2))"
		       " AND sum(bytes * (op = 'write')) >= sum(bytes * (op = 'read')) FROM pipe_io WHERE pipe_id = ?1",
		       t->wait.pipe_id, st->processes[t->process].id, 0, st->why);
}

static bool any_family_fifo(const struct finder *f, const struct stuck_set *s)
{
	for (size_t i = 0; i < s->n_members; i++)
		if (is_family_fifo(f, s, s->members[i]) || is_token_fifo(f, s, s->members[i]))
			return true;
	return false;
}

/* Says whether a thread opens a FIFO to write to it. */
static bool opens_to_write(const struct finder *f, uint32_t member)
{
	const struct state_wait *w = &f->st->threads[member].wait;

	return w->reason == WAIT_FIFO_OPEN &&
	       query_number(f->st->db, "SELECT instr(mode, 'w') FROM wait WHERE id = ?1", w->id, 0,
		       f->st->why);
}

/*
 * Two who open different FIFOs, one of them to write: each may be the one that the other waits for. Services that rest wait for
 * somebody who writes.
 */
static bool opens_crossed(const struct finder *f, const struct stuck_set *s)
{
	int64_t first = 0;

	if (f->any_live || !sets_any(f, s, opens_to_write))
		return false;
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_wait *w = &f->st->threads[s->members[i]].wait;

		if (w->reason != WAIT_FIFO_OPEN || !w->pipe_id)
			continue;
		if (first && w->pipe_id != first)
			return true;
		first = w->pipe_id;
	}
	return false;
}

/* Says whether a thread opens a FIFO that has lost its name meanwhile, as a snapshot tells. */
static bool opens_unnamed(const struct finder *f, uint32_t member)
{
	const struct state_wait *w = &f->st->threads[member].wait;

	return w->reason == WAIT_FIFO_OPEN && !w->pipe_id &&
	       query_number(f->st->db, "SELECT detail IS NOT NULL FROM wait WHERE id = ?1", w->id,
		       0, f->st->why);
}

/* Says whether a member is the main thread of a program, and no loop itself: it waits for what others are to do. */
static bool is_main_in_need(const struct finder *f, uint32_t member)
{
	const struct state_thread *t = &f->st->threads[member];
	const struct wait_info *info = wait_info(t->wait.reason);

	return t->is_main && !info->is_idle && !info->from_anybody && info->needs_others;
}

/* Says whether the parent of a member's process has a member, too: then that is the program, and this one its worker. */
static bool is_worker(const struct finder *f, const struct stuck_set *s, uint32_t member)
{
	const struct state *st = f->st;
	uint32_t parent = st->processes[st->threads[member].process].parent;

	for (size_t i = 0; i < s->n_members; i++)
		if (parent != STATE_NONE && st->threads[s->members[i]].process == parent)
			return true;
	return false;
}

static bool any_main_in_need(const struct finder *f, const struct stuck_set *s)
{
	for (size_t i = 0; i < s->n_members; i++)
		if (is_main_in_need(f, s->members[i]) && !is_worker(f, s, s->members[i]))
			return true;
	/* Who waits for a signal as such rests on nobody, and is in a set of its own. */
	for (size_t i = 0; i < s->n_behind && s->maybe == MAYBE_SENT; i++)
		if (is_main_in_need(f, s->behind[i]) && !is_worker(f, s, s->behind[i]))
			return true;
	return false;
}

/*
 * Says whether a member is a loop of asyncio that the main thread of a Python program runs until some coroutine is complete,
 * with nothing scheduled and nothing that lives to poll: its tasks wait for each other, or for what nobody does. One
 * that serves somebody polls a socket, too, and one that runs without such an end rests. While the program runs, its stack is read
 * once the set is suspected.
 */
static bool is_asyncio(const struct finder *f, uint32_t member)
{
	const struct state_thread *t = &f->st->threads[member];
	const struct state_process *p = &f->st->processes[t->process];

	if (!t->is_main || t->wait.reason != WAIT_POLL || !p->is_python)
		return false;
	if (!t->wait.stack_id)
		return p->end_ns == INT64_MAX && !f->st->instant;
	return query_number(f->st->db,
		"SELECT 1 FROM frame f JOIN site s ON s.id = f.site_id WHERE f.stack_id = ?1"
		" AND s.function LIKE '%run_until_complete'",
		t->wait.stack_id, 0, f->st->why);
}

/* Says whether a Worker of Node waits for a notification: beside it the loop of the main thread has something to wait for. */
static bool wants_notification(const struct finder *f, uint32_t member)
{
	const struct state_wait *w = &f->st->threads[member].wait;

	return w->reason == WAIT_COND && state_is_of_runtime(state_lock_of(f->st, w)) &&
	       state_lock_of(f->st, w)->is_atomics;
}

/* Says whether a thread polls pipes alone, to read them, in a program that no signal tells what to do: it waits as who reads them. */
static bool polls_to_read(const struct finder *f, uint32_t thread)
{
	const struct state_wait *w = &f->st->threads[thread].wait;

	return w->reason == WAIT_POLL && !sets_takes_signals(f, thread) &&
	       query_number(f->st->db,
		       "SELECT count(*) > 0 AND min(kind = 'pipe' AND instr(mode, 'r')) FROM wait_on WHERE wait_id = ?1",
		       w->id, 0, f->st->why);
}

/*
 * Says whether somebody reads from a pipe whose other end is open in a process that waits for a signal that will not come. A thread of that very
 * process rests as it does: a main thread often sleeps so until the program is killed.
 */
static bool any_reads_from_sleeper(const struct finder *f, const struct stuck_set *s)
{
	uint32_t sleeper = f->st->threads[s->members[0]].process;
	bool any = sets_any(f, s, sets_reads);

	for (size_t i = 0; i < s->n_behind; i++)
		if (f->st->threads[s->behind[i]].process != sleeper)
			any |= sets_reads(f, s->behind[i]) || polls_to_read(f, s->behind[i]);
	return any && s->maybe == MAYBE_SENT && s->reasons == 1u << WAIT_SIGNAL;
}

/* Says whether a thread waits until another one has ended, or for what another one holds. */
static bool wants_thread(const struct finder *f, uint32_t thread)
{
	const struct wait_info *info = wait_info(f->st->threads[thread].wait.reason);

	return info->mode == MODE_ALL && info->is_deaf;
}

/*
 * A loop that never ends because somebody joins it, for which the main thread waits, which is that of asyncio, or who reads an eventfd that it
 * has for itself: without any handler no signal can tell it what to do.
 */
static bool is_forgotten(const struct finder *f, const struct stuck_set *s)
{
	/* Whoever lives may send a signal, and will perhaps: most who wait for one that kills are killed by somebody of the same program. */
	if (s->maybe & MAYBE_SENT && f->any_live)
		return false;
	bool wanted = any_reads_from_sleeper(f, s) ||
		      (s->reasons & (1u << WAIT_EVENTFD | 1u << WAIT_TIMERFD)) != 0 ||
		      sets_any(f, s, wants_thread) || any_main_in_need(f, s) ||
		      sets_any(f, s, wants_notification) ||
		      /* Who takes signals as such (signalfd) may be told what to do by any. */
		      (!(s->maybe & MAYBE_SENT) && sets_any(f, s, is_asyncio));

	for (size_t i = 0; i < s->n_behind && !wanted; i++)
		wanted = wants_thread(f, s->behind[i]);
	return wanted && !sets_any(f, s, sets_takes_signals) &&
	       !sets_any(f, s, sets_waits_for_orders);
}

/* Says whether a member's program, or its language's runtime, has a handler for a signal that is no child's and no fault's. */
static bool catches_any(const struct finder *f, uint32_t member)
{
	return state_catches_any(f->st, f->st->threads[member].process) ||
	       sets_takes_signals(f, member);
}

/* Says whether a process had children, as far as is recorded. */
static bool had_children(const struct state *st, const struct state_process *p)
{
	return query_number(st->db,
		       "SELECT EXISTS (SELECT 1 FROM process WHERE parent_id = ?1 AND reaped_ns IS NOT NULL)",
		       p->id, 0, st->why) ||
	       (version_has(st->db, "process.has_reaped") &&
		       query_number(st->db, "SELECT has_reaped FROM process WHERE id = ?1", p->id,
			       0, st->why));
}

/*
 * A loop that polls nothing but what the program has for itself, beside others who wait for something that it, or one of them, would have
 * to do: nothing ever comes to such a program from outside, nobody in the trace can go on, and no signal has a handler. A thread that
 * waits so alone rests until it is killed.
 */
static bool is_sealed(const struct finder *f, const struct stuck_set *s)
{
	return !f->any_live && s->n_members + s->n_behind > 1 &&
	       !(s->maybe & ~(MAYBE_SIGNAL | MAYBE_EVENTFD)) && !sets_any(f, s, catches_any) &&
	       !sets_any(f, s, sets_waits_for_orders);
}

/* Says whether a thread polls, to read it, the other side of the connection that a thread of another process reads from. */
static bool polls_what_reads(const struct state *st, const struct state_thread *poller,
	const struct state_thread *reader)
{
	const struct state_wait *w = &reader->wait;

	return poller->wait.reason == WAIT_POLL && w->reason == WAIT_PIPE_READ &&
	       poller->process != reader->process &&
	       query_pair(st->db,
		       w->side ? "SELECT 1 FROM wait_on WHERE wait_id = ?1 AND pipe_id = ?2"
				 " AND coalesce(side, 0) = 0 AND instr(mode, 'r')"
			       : "SELECT 1 FROM wait_on WHERE wait_id = ?1 AND pipe_id = ?2"
				 " AND side = 1 AND instr(mode, 'r')",
		       poller->wait.id, w->pipe_id, 0, st->why);
}

/*
 * Two processes that wait for each other to say something, as expect(1) does for a program that waits for an answer: nobody of the
 * trace can go on, and nothing from outside, nor a signal by which one is told what to do, makes one of them begin.
 */
static bool is_dialogue(const struct finder *f, const struct stuck_set *s)
{
	const struct state *st = f->st;

	if (f->any_live || sets_any(f, s, sets_takes_requests) ||
		sets_any(f, s, sets_waits_for_orders) ||
		s->maybe & ~(MAYBE_SIGNAL | MAYBE_PTY | MAYBE_EVENTFD))
		return false;
	for (size_t i = 0; i < s->n_members; i++)
		for (size_t k = 0; k < s->n_members; k++)
			if (polls_what_reads(
				    st, &st->threads[s->members[i]], &st->threads[s->members[k]]))
				return true;
	return false;
}

/* Says whether a thread polls signalfds alone. */
static bool polls_signals(const struct state *st, const struct state_thread *t)
{
	return t->wait.reason == WAIT_POLL &&
	       query_number(st->db,
		       "SELECT count(*) > 0 AND min(kind = 'signalfd') FROM wait_on WHERE wait_id = ?1",
		       t->wait.id, 0, st->why);
}

/*
 * Says whether a thread waits for SIGCHLD by sigwait or a signalfd, and for no signal that somebody might send it beside that;
 * where it is not known for which it waits it may be for any that is blocked.
 */
static bool takes_sigchld_alone(const struct finder *f, uint32_t member)
{
	const uint64_t kernels = LIBC_SIGNALS | UINT64_C(1) << (SIGPIPE - 1);
	const struct state_thread *t = &f->st->threads[member];
	uint64_t takes = t->wait.awaits ? t->wait.awaits : t->wait.sigmask;

	return (t->wait.reason == WAIT_SIGNAL || polls_signals(f->st, t)) &&
	       state_is_for_some(f->st, t) && (takes & ~kernels) == UINT64_C(1) << (SIGCHLD - 1);
}

/* Says whether another thread of the same process can go on: it may start children, and reap those that ended. */
static bool has_live_sibling(const struct finder *f, uint32_t member)
{
	const struct state *st = f->st;
	uint32_t t = st->processes[st->threads[member].process].first;

	for (; t != STATE_NONE; t = st->threads[t].next)
		if (t != member && !st->threads[t].housekeeping &&
			f->pr->strict->graph.nodes[t].live)
			return true;
	return false;
}

/*
 * Who only waits for signals, with a child that ended and no other: SIGCHLD has come for it, or it was merged with
 * that of another child, and one alone was reaped for it. Or all were reaped: the handler ran just before the wait began.
 */
static bool is_merged(const struct finder *f, const struct stuck_set *s)
{
	const struct state_thread *t = &f->st->threads[s->members[0]];
	const struct state_process *p = &f->st->processes[t->process];

	return s->n_members == 1 && p->child == STATE_NONE &&
	       ((t->wait.reason == WAIT_SIGNAL && state_catches(f->st, s->members[0], SIGCHLD)) ||
		       takes_sigchld_alone(f, s->members[0])) &&
	       !sets_takes_signals(f, s->members[0]) && !has_live_sibling(f, s->members[0]) &&
	       (p->has_zombie || (!f->any_live && had_children(f->st, p)));
}

/* Says whether a member waits for nothing but the end of a child, by the signal that tells of it. */
static bool wants_end_of_child(const struct finder *f, uint32_t member)
{
	if (is_waiting_shell(f->st, member))
		return true;
	return !sets_takes_signals(f, member) &&
	       (takes_sigchld_alone(f, member) ||
		       (f->st->threads[member].wait.reason == WAIT_SIGNAL &&
			       state_catches(f->st, member, SIGCHLD)));
}

/* Who waits for children to end that wait for him: SIGCHLD will not come, and nobody sends it in the place of the kernel. */
static bool is_parent_of_waiters(const struct finder *f, const struct stuck_set *s)
{
	if (f->any_live || s->n_members < 2 || s->maybe != MAYBE_SENT)
		return false;
	for (size_t i = 0; i < s->n_members; i++)
		if (f->pr->maybe[s->members[i]] & MAYBE_SENT &&
			!wants_end_of_child(f, s->members[i]))
			return false;
	return true;
}

/* Says whether a thread polls, to read it, a connection that nobody has accepted yet, and a process may accept it. */
static bool polls_unaccepted(
	const struct state *st, const struct state_thread *poller, int64_t process_id)
{
	return poller->wait.reason == WAIT_POLL &&
	       query_pair(st->db,
		       "SELECT 1 FROM wait_on o JOIN pipe p ON p.id = o.pipe_id"
		       " JOIN pipe_end e ON e.pipe_id = p.listener_id AND e.close_ns IS NULL"
		       " WHERE o.wait_id = ?1 AND e.process_id = ?2 AND p.inode2 IS NULL"
		       " AND p.kind IN ('unix', 'tcp') AND coalesce(o.side, 0) = 0 AND instr(o.mode, 'r')",
		       poller->wait.id, process_id, 0, st->why);
}

/* Who waits for the end of a child that waits to be accepted by him: no loop is meant to rest so. */
static bool is_asked_by_child(const struct finder *f, const struct stuck_set *s)
{
	const struct state *st = f->st;

	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_thread *t = &st->threads[s->members[i]];

		for (size_t k = 0; t->wait.reason == WAIT_CHILD && k < s->n_members; k++)
			if (polls_unaccepted(
				    st, &st->threads[s->members[k]], st->processes[t->process].id))
				return true;
	}
	return false;
}

bool sets_lacks_something(const struct finder *f, const struct stuck_set *s)
{
	return is_asked_by_child(f, s) || is_forgotten(f, s) || is_merged(f, s) ||
	       is_parent_of_waiters(f, s) || any_family_fifo(f, s) || opens_crossed(f, s) ||
	       sets_any(f, s, opens_unnamed) || is_sealed(f, s) || is_dialogue(f, s) ||
	       sets_is_fed_back(f, s);
}
