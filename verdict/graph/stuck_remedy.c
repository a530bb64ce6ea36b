/* stuck_remedy.c - what to do about a set that cannot proceed, in one sentence. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/stuck.h"

#include "schema/query.h"
#include "verdict/describe.h"

static bool all_of(const struct stuck_set *s, unsigned reasons)
{
	return !(s->reasons & ~reasons);
}

/* The reasons of a kind. */
static unsigned of_kind(enum wait_kind kind)
{
	unsigned reasons = 0;

	for (unsigned i = 0; i < WAIT_REASON_END; i++)
		if (wait_info(i)->kind == kind)
			reasons |= 1u << i;
	return reasons;
}

/* The remedy for the first reason of waits.def that is among those of the set and has one, or NULL. */
static const char *own_remedy(const struct stuck_set *s)
{
	static const enum wait_reason list[] = {
#define WAIT(NAME, ...) WAIT_##NAME,
#include "schema/waits.def"
#undef WAIT
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		if (s->reasons >> list[i] & 1 && wait_info(list[i])->remedy)
			return wait_info(list[i])->remedy;
	return NULL;
}

static bool any_of(const struct stuck_set *s, unsigned reasons)
{
	return (s->reasons & reasons) != 0;
}

static const char *lock_remedy(const struct state *st, const struct stuck_set *s)
{
	bool copied = false;

	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_thread *t = &st->threads[s->members[i]];
		const struct state_lock *l = state_lock_of(st, &t->wait);

		for (uint32_t h = l ? l->first_holder : STATE_NONE; h != STATE_NONE;
			h = st->holders[h].next)
			copied = copied ||
				 (!l->pshared && st->holders[h].process_id == l->process_id &&
					 query_number(st->db,
						 "SELECT process_id FROM thread WHERE id = ?1",
						 st->holders[h].thread_id, l->process_id,
						 st->why) != l->process_id);
	}
	if (copied)
		return "In the child of a program with threads call only exec or _exit, or take the"
		       " locks in a pthread_atfork handler.";
	if (!strcmp(s->shape, "abandoned"))
		return "Release the lock on every path out of the thread, or make the mutex robust.";
	if (!strcmp(s->shape, "self"))
		return "Do not acquire a lock again while holding it: release it first, tell the callee that it is held, or make it recursive.";
	return "Take these locks in the same order everywhere, or try the second one and release the first if that fails.";
}

/* Says whether a member waits for a socket of a connection to a server. */
static bool is_connection(const struct state *st, const struct stuck_set *s)
{
	for (size_t i = 0; i < s->n_members; i++) {
		uint32_t p = state_pipe(st, st->threads[s->members[i]].wait.pipe_id);

		if (p != STATE_NONE && st->pipes[p].is_two_sided)
			return true;
	}
	return false;
}

static const char *pipe_remedy(const struct state *st, const struct stuck_set *s)
{
	if (any_of(s, 1u << WAIT_CHILD))
		return "Read the child's output to its end first, then wait for the child.";
	if (!strcmp(s->shape, "self") && is_connection(st, s))
		return "Do not wait for an answer that the same thread would have to give: let another thread"
		       " serve, or call the function itself.";
	if (!strcmp(s->shape, "self") || !strcmp(s->shape, "abandoned"))
		return "Close the end of the pipe that this process does not use.";
	if (any_of(s, 1u << WAIT_PIPE_WRITE))
		return "Read while writing: poll both directions, or use a thread for each.";
	return "Let one side send first, and flush what it has buffered before it waits for the answer;"
	       " close the ends that are not used.";
}

/* Says whether all members wait for locks of a language, or for the end of its threads. */
static bool are_runtime_locks(const struct state *st, const struct stuck_set *s)
{
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_wait *w = &st->threads[s->members[i]].wait;

		enum runtime_kind kind = w->reason == WAIT_SEM
						 ? describe_runtime_kind(st->db, w->lock_id)
						 : RUNTIME_KIND_NONE;

		if (kind != RUNTIME_KIND_LOCK && kind != RUNTIME_KIND_THREAD)
			return false;
	}
	return s->n_members > 0;
}

/* Says whether a member waits for something that any thread of its language could do. */
static bool waits_in_runtime(const struct state *st, const struct stuck_set *s)
{
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_wait *w = &st->threads[s->members[i]].wait;

		if (w->reason == WAIT_COND && state_is_of_runtime(state_lock_of(st, w)))
			return true;
	}
	return false;
}

const char *stuck_remedy(const struct state *st, const struct stuck_set *s)
{
	const unsigned locks = of_kind(KIND_LOCK), pipes = of_kind(KIND_PIPE);

	if (all_of(s, locks | 1u << WAIT_JOIN) && any_of(s, locks) && !any_of(s, 1u << WAIT_SEM))
		return any_of(s, 1u << WAIT_JOIN)
			       ? "Release the lock before waiting for the end of a"
				 " thread that needs it."
			       : lock_remedy(st, s);
	if (any_of(s, 1u << WAIT_FIFO_OPEN))
		return wait_info(WAIT_FIFO_OPEN)->remedy;
	if (all_of(s, pipes | 1u << WAIT_CHILD) && any_of(s, pipes))
		return pipe_remedy(st, s);
	if (any_of(s, pipes) && any_of(s, locks))
		return "Do not hold a lock while reading or writing a pipe whose other side needs that"
		       " lock.";
	if (are_runtime_locks(st, s))
		return lock_remedy(st, s);
	if (waits_in_runtime(st, s))
		return "Let a thread that waits for none of the others do what is waited for, or wait"
		       " with a time-out.";
	if (own_remedy(s))
		return own_remedy(s);
	if (all_of(s, 1u << WAIT_JOIN))
		return "Let only one thread wait for the end of the others.";
	return "Let one of them do its part without waiting for the others.";
}
