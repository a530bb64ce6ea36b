/* sets.c - the sets of threads that block each other at one moment: which are certain, which only at rest. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/sets.h"

#include <signal.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"

struct finder {
	const struct state *st;
	const struct providers *pr; /* the generous graph */
	bool any_live;              /* some thread of the trace can go on, in the strict graph */
};

/* A pipe to itself into which nobody else has written is there to be woken by one's own signal handlers. */
static bool is_self_pipe(const struct state *st, const struct state_thread *t)
{
	return !query_pair(st->db,
		"SELECT 1 FROM pipe_io i JOIN thread t ON t.id = i.thread_id"
		" WHERE i.pipe_id = ?1 AND i.op = 'write' AND t.process_id <> ?2 LIMIT 1",
		t->wait.pipe_id, st->processes[t->process].id, 0, st->why);
}

static bool takes_orders(const struct finder *f, uint32_t member)
{
	return sets_takes_orders(f->st, member);
}

/* Says whether a member reads from a pipe that its own handlers write to. */
static bool reads_self_pipe(const struct finder *f, uint32_t member)
{
	const unsigned others = MAYBE_REOPEN | MAYBE_TAKE | MAYBE_FLIGHT | MAYBE_PTY;
	const struct state_thread *t = &f->st->threads[member];

	return t->wait.reason == WAIT_PIPE_READ && f->pr->maybe[member] & ~others &&
	       is_self_pipe(f->st, t);
}

/* Says whether another process of the set waits to read from the other side of the connection that a member reads from. */
static bool is_conversation(const struct finder *f, const struct stuck_set *s, uint32_t member)
{
	const struct state_thread *t = &f->st->threads[member];

	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_thread *o = &f->st->threads[s->members[i]];

		if (o->process != t->process && o->wait.reason == WAIT_PIPE_READ &&
			o->wait.pipe_id == t->wait.pipe_id && o->wait.side != t->wait.side)
			return true;
	}
	return false;
}

/* Says whether a member reads from a pipe to itself, and nobody else of the set expects anything from it there. */
static bool any_self_pipe(const struct finder *f, const struct stuck_set *s)
{
	for (size_t i = 0; i < s->n_members; i++)
		if (reads_self_pipe(f, s->members[i]) && !is_conversation(f, s, s->members[i]))
			return true;
	return false;
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

static bool all_members(const struct finder *f, const struct stuck_set *s,
	bool (*is)(const struct finder *f, uint32_t member))
{
	for (size_t i = 0; i < s->n_members; i++)
		if (!is(f, s->members[i]))
			return false;
	return true;
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
 * Says whether a member takes signals as such, by sigwait or a signalfd, in a program that blocks some by which it may be told
 * to end: so that they are taken there.
 */
static bool waits_for_orders(const struct finder *f, uint32_t member)
{
	const uint64_t orders = UINT64_C(1) << (SIGTERM - 1) | UINT64_C(1) << (SIGINT - 1) |
				UINT64_C(1) << (SIGHUP - 1) | UINT64_C(1) << (SIGQUIT - 1);
	const struct state *st = f->st;
	const struct state_thread *t = &st->threads[member];
	uint64_t blocked = 0;

	if (!(f->pr->maybe[member] & MAYBE_SENT) || !state_is_for_some(st, t))
		return false;
	for (uint32_t i = st->processes[t->process].first; i != STATE_NONE; i = st->threads[i].next)
		blocked |= st->threads[i].wait.sigmask;
	return blocked & orders;
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

static bool writes_to_pipe(const struct finder *f, uint32_t member)
{
	return f->st->threads[member].wait.reason == WAIT_PIPE_WRITE;
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
	bool wanted = (s->reasons & (1u << WAIT_EVENTFD | 1u << WAIT_TIMERFD)) != 0 ||
		      any_member(f, s, wants_thread) || any_main_in_need(f, s) ||
		      any_member(f, s, wants_notification) ||
		      /* Who takes signals as such (signalfd) may be told what to do by any. */
		      (!(s->maybe & MAYBE_SENT) && any_member(f, s, is_asyncio));

	for (size_t i = 0; i < s->n_behind && !wanted; i++)
		wanted = wants_thread(f, s->behind[i]);
	return wanted && !any_member(f, s, takes_signals) && !any_member(f, s, waits_for_orders);
}

/* Says whether a process had children, as far as is recorded. */
static bool had_children(const struct state *st, const struct state_process *p)
{
	return query_number(st->db,
		"SELECT EXISTS (SELECT 1 FROM process WHERE parent_id = ?1 AND reaped_ns IS NOT NULL)",
		p->id, 0, st->why);
}

/*
 * Who only waits for signals, with a child that ended and no other: SIGCHLD has come for it, or it was merged with
 * that of another child, and the handler reaped one alone. Or all were reaped: the handler ran just before the wait began.
 */
static bool is_merged(const struct finder *f, const struct stuck_set *s)
{
	const struct state_thread *t = &f->st->threads[s->members[0]];
	const struct state_process *p = &f->st->processes[t->process];

	return s->n_members == 1 && t->wait.reason == WAIT_SIGNAL && p->child == STATE_NONE &&
	       state_catches(f->st, s->members[0], SIGCHLD) && !takes_signals(f, s->members[0]) &&
	       (p->has_zombie || (!f->any_live && had_children(f->st, p)));
}

/* Says whether a thread wakes up now and then to see whether it has been told to end. */
static bool looks_for_orders(const struct finder *f, uint32_t member)
{
	return f->st->threads[member].wait.repeats && takes_orders(f, member);
}

/* Says whether a thread wants what a certain other one has, and nobody else can give. */
static bool wants_held(const struct finder *f, uint32_t member)
{
	const struct state_thread *t = &f->st->threads[member];
	const struct state_lock *l = state_lock_of(f->st, &t->wait);

	return wait_info(t->wait.reason)->mode == MODE_ALL ||
	       (t->wait.reason == WAIT_SEM && l && providers_sem_is_lock(l, t));
}

/* Says whether a thread waits for the end of one that wakes up now and then, itself or by its process. */
static bool wants_end_of_ticking(const struct finder *f, const struct stuck_set *s, uint32_t member)
{
	const struct state_thread *t = &f->st->threads[member];

	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_thread *other = &f->st->threads[s->members[i]];

		if (other->wait.repeats &&
			(t->wait.reason == WAIT_CHILD
					? f->st->processes[other->process].parent == t->process
					: t->wait.target_thread_id == other->id))
			return true;
	}
	return false;
}

/* Says whether a thread wants a lock, an end, or room in a pipe: nobody needs to do any work of his own for that. */
static bool wants_no_work(const struct finder *f, const struct stuck_set *s, uint32_t member)
{
	enum wait_reason reason = f->st->threads[member].wait.reason;

	if (reason == WAIT_CHILD || reason == WAIT_JOIN)
		return !wants_end_of_ticking(f, s, member);
	return (wait_info(reason)->kind == KIND_LOCK && wants_held(f, member)) ||
	       reason == WAIT_PIPE_WRITE;
}

/*
 * Who wakes up now and then may look at something that no record shows, and many threads sleep in a condition that nobody
 * signals. Such a wait stands for the reason of its call where it is for what somebody else has; or else where all the
 * others want what the thread keeps meanwhile.
 */
static bool is_tick(const struct finder *f, const struct stuck_set *s)
{
	bool any_other = false;

	if (any_member(f, s, looks_for_orders))
		return true;
	if (all_members(f, s, wants_held))
		return false;
	for (size_t i = 0; i < s->n_members; i++) {
		if (f->st->threads[s->members[i]].wait.repeats)
			continue;
		any_other = true;
		if (!wants_no_work(f, s, s->members[i]))
			return true;
	}
	return !any_other;
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
			      MAYBE_TIMERFD | MAYBE_URING | MAYBE_IPC | MAYBE_NUMBER |
			      MAYBE_STOPPED;

	if (s->maybe & MAYBE_TIMEOUT && is_tick(f, s))
		return true;
	/* Job control: whoever lives may continue what he stopped. */
	if (s->maybe & MAYBE_STOPPED && f->any_live)
		return true;
	/* Bytes are under way wherever there is a network: that somebody looked for them makes a set certain. */
	if (s->maybe == MAYBE_URING || s->maybe & MAYBE_FLIGHT)
		return true;
	/* A queue without a name serves nobody who could still come. */
	if (s->maybe == MAYBE_NUMBER || is_forgotten(f, s) || is_merged(f, s))
		return false;
	if (!(s->reasons & 1u << WAIT_FIFO_OPEN) &&
		((any_member(f, s, waits_as_loops_do) && !(s->maybe & MAYBE_TIMEOUT)) ||
			any_self_pipe(f, s)))
		/* What somebody has written is not read by a loop that does not poll for it. */
		return !any_member(f, s, writes_to_pipe);
	/* A handler that is about to run, of a child's signal, say, changes nothing about that. */
	return s->maybe & ways && !(s->maybe & ~(ways | MAYBE_ALARM | MAYBE_RAISE)) &&
	       !any_member(f, s, wants_pipe) && !is_waited_for(f, s) &&
	       (!(s->maybe & MAYBE_SIGNAL) || any_member(f, s, takes_orders) ||
		       (f->any_live && any_member(f, s, takes_signals)));
}

static unsigned ring_of(const struct state *st, uint32_t thread)
{
	return st->processes[st->threads[thread].process].uring ? MAYBE_URING : 0;
}

/* Says whether a member waits for a pipe of which a program of Go has the other end. */
static bool may_be_collected(const struct finder *f, uint32_t member)
{
	const struct state *st = f->st;
	const struct state_wait *w = &st->threads[member].wait;
	bool is_write = w->reason == WAIT_PIPE_WRITE;
	uint32_t pipe =
		is_write || w->reason == WAIT_PIPE_READ ? state_pipe(st, w->pipe_id) : STATE_NONE;
	const struct state_pipe *p = pipe == STATE_NONE ? NULL : &st->pipes[pipe];

	for (uint32_t i = 0; p && i < p->n_ends; i++) {
		const struct state_end *e = &st->ends[p->first_end + i];
		uint32_t holder = state_process(st, e->process_id);

		if (holder != STATE_NONE && st->processes[holder].collects &&
			(p->is_two_sided   ? e->side != w->side
				: is_write ? e->reads
					   : e->writes))
			return true;
	}
	return false;
}

/* What is certain must be seen: losses leave room for an end of a wait that nobody saw. */
static void judge(const struct finder *f, struct stuck_sets *sets)
{
	for (size_t i = 0; i < sets->n; i++) {
		struct stuck_set *s = &sets->list[i];

		for (size_t k = 0; k < s->n_members; k++)
			s->maybe |= f->pr->maybe[s->members[k]] | ring_of(f->st, s->members[k]);
		if (!s->certain)
			s->hidden = is_idle(f, s);
		else if (f->st->lost)
			s->certain = false;
		if (s->certain && any_member(f, s, may_be_collected)) {
			s->certain = false;
			s->maybe |= MAYBE_COLLECTED;
		}
		sets_judge_rest(f->st, s);
	}
}

static bool any_live(const struct providers *strict)
{
	const struct state *st = strict->st;

	for (size_t i = 0; i < st->n_threads; i++)
		if (st->threads[i].alive && !st->threads[i].housekeeping &&
			strict->graph.nodes[i].live)
			return true;
	return false;
}

int sets_find(const struct state *st, struct stuck_sets *ret, struct buf *why)
{
	struct providers strict = {0}, generous = {0};
	int rc;

	*ret = (struct stuck_sets){0};
	rc = providers_build(&strict, st, NULL, why);
	if (!rc)
		rc = providers_build(&generous, st, &strict, why);
	if (!rc) {
		sets_collect(st, &generous, true, ret);
		sets_collect(st, &strict, false, ret);
		judge(&(struct finder){st, &generous, any_live(&strict)}, ret);
	}
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
