/* idle.c - which sets of threads that block each other are programs at rest. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/sets/private.h"

#include "base/buf.h"
#include "schema/query.h"

/*
 * A pipe to itself into which nobody else has written is there to be woken by one's own signal handlers. Who has
 * connected to a server of his own asks it for something.
 */
static bool is_self_pipe(const struct state *st, const struct state_thread *t)
{
	uint32_t p = state_pipe(st, t->wait.pipe_id);

	if (p != STATE_NONE && st->pipes[p].is_connection)
		return false;
	return !query_pair(st->db,
		"SELECT 1 FROM pipe_io i JOIN thread t ON t.id = i.thread_id"
		" WHERE i.pipe_id = ?1 AND i.op = 'write' AND t.process_id <> ?2 LIMIT 1",
		t->wait.pipe_id, st->processes[t->process].id, 0, st->why);
}

/* Says whether a member reads from a pipe that its own handlers write to. */
static bool reads_self_pipe(const struct finder *f, uint32_t member)
{
	const uint64_t others = MAYBE_REOPEN | MAYBE_TAKE | MAYBE_FLIGHT | MAYBE_PTY |
				(state_has_own_end(f->st, member) ? 0 : MAYBE_FIFO);
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

/* Says whether a thread wants what a certain other one has, and nobody else can give. */
static bool wants_held(const struct finder *f, uint32_t member)
{
	const struct state_thread *t = &f->st->threads[member];
	const struct state_lock *l = state_lock_of(f->st, &t->wait);

	return wait_info(t->wait.reason)->mode == MODE_ALL ||
	       (t->wait.reason == WAIT_SEM && l && providers_sem_is_lock(l, t));
}

static bool wants_lock(const struct finder *f, uint32_t member)
{
	enum wait_reason reason = f->st->threads[member].wait.reason;

	return reason == WAIT_LOCK || (reason == WAIT_SEM && wants_held(f, member));
}

/*
 * Says whether a member waits for a pipe, and not for what comes out of a FIFO: others are meant to open that, and a service
 * keeps it open meanwhile, itself or in another part of it.
 */
static bool wants_pipe(const struct finder *f, uint32_t member)
{
	enum wait_reason reason = f->st->threads[member].wait.reason;

	return reason == WAIT_PIPE_WRITE ||
	       (reason == WAIT_PIPE_READ && !(f->pr->maybe[member] & MAYBE_FIFO));
}

static bool waits_as_loops_do(const struct finder *f, uint32_t member)
{
	return wait_info(f->st->threads[member].wait.reason)->is_idle;
}

/* Says whether a thread wants something done: a lock released, a thread or a process ended. */
static bool wants_done(const struct finder *f, uint32_t thread)
{
	return f->st->threads[thread].wait.reason == WAIT_CHILD || wants_held(f, thread);
}

/* Says whether a member, or somebody behind them, wants something done. */
static bool is_waited_for(const struct finder *f, const struct stuck_set *s)
{
	for (size_t i = 0; i < s->n_members + s->n_behind; i++) {
		uint32_t thread = i < s->n_members ? s->members[i] : s->behind[i - s->n_members];

		if (wants_done(f, thread) && !sets_is_launcher(f, s, thread))
			return true;
	}
	return false;
}

/*
 * Says whether a member reads from a pipe to itself, nobody else of the set expects anything from it there, and nobody wants a
 * lock: no handler comes for that. Nor does one that a language's runtime has installed by itself for whom somebody waits
 * to end.
 */
static bool any_self_pipe(const struct finder *f, const struct stuck_set *s)
{
	if (sets_any(f, s, wants_lock) ||
		(is_waited_for(f, s) && !(s->maybe & (MAYBE_SENT | MAYBE_FIFO)) &&
			!sets_any(f, s, sets_takes_signals)))
		return false;
	for (size_t i = 0; i < s->n_members; i++)
		if (reads_self_pipe(f, s->members[i]) && !is_conversation(f, s, s->members[i]))
			return true;
	return false;
}

/* Says whether a set is one thread that reads from a pipe to itself, by which a handler of its program's tells it what to do. */
static bool is_told_by_handler(const struct finder *f, const struct stuck_set *s)
{
	return s->n_members == 1 && state_has_own_end(f->st, s->members[0]) && any_self_pipe(f, s);
}

static bool writes_to_pipe(const struct finder *f, uint32_t member)
{
	return f->st->threads[member].wait.reason == WAIT_PIPE_WRITE;
}

/* Says whether a thread wakes up now and then to see whether it has been told to end. */
static bool looks_for_orders(const struct finder *f, uint32_t member)
{
	return f->st->threads[member].wait.repeats && sets_takes_orders(f, member);
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

/* Says whether a thread waits for room in a pipe which one that wakes up now and then could make, as it may begin to read at any time. */
static bool wants_room_of_ticking(
	const struct finder *f, const struct stuck_set *s, uint32_t member)
{
	if (f->st->threads[member].wait.reason != WAIT_PIPE_WRITE)
		return false;
	for (size_t i = 0; i < s->n_members; i++)
		if (f->st->threads[s->members[i]].wait.repeats && !wants_held(f, s->members[i]) &&
			state_has_other_end(f->st, member, f->st->threads[s->members[i]].process))
			return true;
	return false;
}

/*
 * Who wakes up now and then may look at something that no record shows, and many threads sleep in a condition that nobody
 * signals. Such a wait stands for the reason of its call where it is for what somebody else has; or else where all the
 * others want what the thread keeps meanwhile.
 */
static bool is_tick(const struct finder *f, const struct stuck_set *s)
{
	bool any_other = false;

	if (sets_any(f, s, looks_for_orders))
		return true;
	if (sets_all(f, s, wants_held))
		return false;
	for (size_t i = 0; i < s->n_members; i++) {
		if (f->st->threads[s->members[i]].wait.repeats)
			continue;
		any_other = true;
		if (!wants_no_work(f, s, s->members[i]) ||
			wants_room_of_ticking(f, s, s->members[i]))
			return true;
	}
	return !any_other;
}

/*
 * Says whether two stacks have no function of the program in common, and some each: workers that take turns are in the same one. While
 * the program runs stacks are read once the set is suspected.
 */
static bool is_in_other_functions(
	const struct finder *f, const struct state_thread *a, const struct state_thread *b)
{
	if (!a->wait.stack_id || !b->wait.stack_id)
		return f->st->processes[a->process].end_ns == INT64_MAX && !f->st->instant;
	return query_pair(f->st->db,
		"WITH own AS (SELECT f.stack_id, s.function FROM frame f JOIN site s ON s.id = f.site_id"
		"  WHERE f.stack_id IN (?1, ?2) AND f.library IS NOT 1 AND s.function IS NOT NULL)"
		" SELECT EXISTS (SELECT 1 FROM own WHERE stack_id = ?1) AND EXISTS (SELECT 1 FROM own WHERE stack_id = ?2)"
		" AND NOT EXISTS (SELECT function FROM own WHERE stack_id = ?1"
		"  INTERSECT SELECT function FROM own WHERE stack_id = ?2)",
		a->wait.stack_id, b->wait.stack_id, 0, f->st->why);
}

/*
 * Says whether a thread wants a lock which the one that has it, and waits for a change to files, took elsewhere. Workers that
 * read events in turn take it at one place, and rest. Where it was taken is not always known: then both stacks tell.
 */
static bool wants_lock_of_watcher(const struct finder *f, uint32_t thread)
{
	const struct state_thread *t = &f->st->threads[thread];
	const struct state_lock *l = state_lock_of(f->st, &t->wait);
	uint32_t h = l && t->wait.reason == WAIT_LOCK ? l->first_holder : STATE_NONE;
	uint32_t holder =
		h == STATE_NONE ? STATE_NONE : state_thread(f->st, f->st->holders[h].thread_id);

	if (holder == STATE_NONE || !f->st->threads[holder].waits ||
		f->st->threads[holder].wait.reason != WAIT_WATCH)
		return false;
	if (f->st->holders[h].site_id && t->wait.site_id)
		return f->st->holders[h].site_id != t->wait.site_id;
	return is_in_other_functions(f, &f->st->threads[holder], t);
}

/* Who watches files waits for others, as a rule: but not while he has a lock that these want. */
static bool is_watcher(const struct finder *f, const struct stuck_set *s)
{
	if (!(s->maybe & MAYBE_WATCH))
		return false;
	for (size_t i = 0; i < s->n_behind; i++)
		if (wants_lock_of_watcher(f, s->behind[i]))
			return false;
	return !sets_any(f, s, wants_lock_of_watcher);
}

/* Says whether a thread waits for its children in a program that may be told to end: it ends them then, as the first process of a service does. */
static bool is_master(const struct finder *f, uint32_t thread)
{
	return f->st->threads[thread].wait.reason == WAIT_CHILD && sets_takes_signals(f, thread);
}

/* Says whether two waits are to receive from the same queue; a wait and itself: from any. */
static bool receives_alike(const struct finder *f, uint32_t a, uint32_t b)
{
	const struct state *st = f->st;

	return st->threads[a].wait.reason == WAIT_IPC && st->threads[b].wait.reason == WAIT_IPC &&
	       query_pair(st->db,
		       "SELECT 1 FROM wait a JOIN wait b ON b.id = ?2 AND b.detail = a.detail"
		       " WHERE a.id = ?1 AND a.syscall IN ('mq_timedreceive', 'msgrcv')",
		       st->threads[a].wait.id, st->threads[b].wait.id, 0, st->why);
}

/*
 * Workers that receive their orders from one queue, which others know, and who waits for them until he is told to end. Who
 * waits for each other waits at different queues, or for room in one.
 */
static bool is_queue_service(const struct finder *f, const struct stuck_set *s)
{
	uint32_t worker = STATE_NONE;
	bool master = false;

	if (!(s->maybe & MAYBE_IPC) || s->maybe & ~(MAYBE_IPC | MAYBE_SIGNAL))
		return false;
	for (size_t i = 0; i < s->n_members + s->n_behind; i++) {
		uint32_t thread = i < s->n_members ? s->members[i] : s->behind[i - s->n_members];

		if (is_master(f, thread))
			master = true;
		else if (receives_alike(f, thread, worker == STATE_NONE ? thread : worker))
			worker = thread;
		else if (!sets_is_launcher(f, s, thread))
			return false;
	}
	return master && worker != STATE_NONE;
}

/*
 * Event loops, and services at rest: every way on passes through a signal for which the program installed a
 * handler, or a FIFO that others are meant to open. What a ring has under way is not known: it passes for rest
 * too. But where somebody in a service, or behind it, waits for a lock, for the end of a thread or of a process,
 * something is missing.
 */
bool sets_is_idle(const struct finder *f, const struct stuck_set *s)
{
	const uint64_t ways = MAYBE_SIGNAL | MAYBE_SENT | MAYBE_FIFO | MAYBE_EVENTFD |
			      MAYBE_TIMERFD | MAYBE_URING | MAYBE_IPC | MAYBE_NUMBER |
			      MAYBE_STOPPED | MAYBE_TRACED;

	if ((s->maybe & MAYBE_TIMEOUT && is_tick(f, s)) || is_watcher(f, s))
		return true;
	/* Job control: whoever lives may continue what he stopped. */
	if (s->maybe & (MAYBE_STOPPED | MAYBE_TRACED) && f->any_live)
		return true;
	/* Bytes are under way wherever there is a network, and who maps memory shows nowhere else: that somebody looked makes a set certain. */
	if (s->maybe == MAYBE_URING || s->maybe & (MAYBE_FLIGHT | MAYBE_MAPPED))
		return true;
	/* Nothing but the end of one of them: that is no order. */
	if (s->maybe == MAYBE_ENDED)
		return false;
	/* A queue without a name serves nobody who could still come. */
	if (s->maybe == MAYBE_NUMBER || sets_lacks_something(f, s))
		return false;
	if (is_queue_service(f, s))
		return true;
	if (!(s->maybe & ~(ways | MAYBE_ALARM | MAYBE_RAISE)) && sets_is_piped_service(f, s))
		return true;
	/* Who has nothing to do until a signal tells one of them, and all the others after that. */
	if (s->maybe == MAYBE_SIGNAL && sets_all(f, s, sets_reads) &&
		sets_any(f, s, sets_takes_requests))
		return !is_waited_for(f, s) || is_told_by_handler(f, s);
	if (!(s->reasons & 1u << WAIT_FIFO_OPEN) &&
		((sets_any(f, s, waits_as_loops_do) && !(s->maybe & MAYBE_TIMEOUT)) ||
			any_self_pipe(f, s)))
		/* What somebody has written is not read by a loop that does not poll for it. */
		return !sets_any(f, s, writes_to_pipe);
	/* A handler that is about to run, of a child's signal, say, changes nothing about that. */
	return s->maybe & ways && !(s->maybe & ~(ways | MAYBE_ALARM | MAYBE_RAISE)) &&
	       !sets_any(f, s, wants_pipe) && !is_waited_for(f, s) &&
	       (!(s->maybe & MAYBE_SIGNAL) || sets_any(f, s, sets_takes_orders) ||
		       (f->any_live && sets_any(f, s, sets_takes_signals)));
}
