/* rest.c - sets of threads of a language that wait for work: programs at rest, or something that is missing. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/sets/private.h"

#include "schema/query.h"

static const struct state_lock *lock_of(const struct finder *f, uint32_t thread)
{
	return state_lock_of(f->st, &f->st->threads[thread].wait);
}

/* Says whether a thread of a language waits for something that any other thread may do, and holds nobody up by itself. */
static bool rests(const struct finder *f, uint32_t member)
{
	return f->st->threads[member].wait.reason == WAIT_COND &&
	       state_is_of_runtime(lock_of(f, member));
}

/* Go's own runtime says that all goroutines are asleep, and ends the program then; but not where signals are caught or C is called. */
static bool is_of_go(const struct finder *f, uint32_t member)
{
	return lock_of(f, member)->is_go;
}

/* Nobody can end what it waits for. */
static bool waits_for_ever(const struct finder *f, uint32_t member)
{
	return lock_of(f, member)->is_never;
}

static bool is_of_node(const struct finder *f, uint32_t member)
{
	return lock_of(f, member)->is_atomics;
}

static bool wants_work(const struct finder *f, uint32_t member)
{
	return lock_of(f, member)->is_pool;
}

static bool has_no_hooks(const struct finder *f, uint32_t member)
{
	return f->st->processes[f->st->threads[member].process].hooks == HOOKS_NONE;
}

/* Says whether a worker of Python's multiprocessing waits for something in a queue, whose pipe it reads from. */
static bool reads_queue(const struct finder *f, uint32_t member)
{
	const struct state_wait *w = &f->st->threads[member].wait;

	return w->reason == WAIT_PIPE_READ && w->stack_id &&
	       query_number(f->st->db,
		       "SELECT 1 FROM frame f JOIN site s ON s.id = f.site_id WHERE f.stack_id = ?1"
		       " AND s.file LIKE '%/multiprocessing/queues.py' LIMIT 1",
		       w->stack_id, 0, f->st->why);
}

/* Says whether a thread waits for what the workers of an idle service do, or for the end of one of them. */
static bool serves(const struct finder *f, uint32_t member)
{
	const struct state_wait *w = &f->st->threads[member].wait;
	const struct state_lock *l = lock_of(f, member);

	if (w->reason == WAIT_JOIN || reads_queue(f, member))
		return true;
	if (w->reason == WAIT_CHILD)
		return f->st->processes[f->st->threads[member].process].is_python;
	if (wait_info(w->reason)->mode == MODE_ALL)
		return false;
	return l &&
	       (l->is_work || l->is_result || (l->kind == LOCK_MONITOR && w->reason == WAIT_COND));
}

static bool waits_for_end(const struct finder *f, uint32_t member)
{
	enum wait_reason reason = f->st->threads[member].wait.reason;

	return reason == WAIT_JOIN || reason == WAIT_CHILD;
}

/*
 * A service: it ends when it is told to, by a signal of which its handler puts something into the queue or sets the event
 * that its workers wait for; the main thread waits for these, or for the result of one. Somebody who waits for more than
 * that is no part of it.
 */
static bool is_service(const struct finder *f, const struct stuck_set *s)
{
	size_t results = 0;

	if (!sets_all(f, s, serves) || sets_all(f, s, waits_for_end) ||
		!sets_any(f, s, sets_takes_orders))
		return false;
	for (size_t i = 0; i < s->n_members; i++)
		results += lock_of(f, s->members[i]) && lock_of(f, s->members[i])->is_result;
	for (size_t i = 0; i < s->n_behind; i++)
		if (!serves(f, s->behind[i]))
			return false;
	return results <= 1;
}

/*
 * The main goroutine of a server often waits in an empty select, and the others serve: it is shown where nobody can go on, or somebody wants
 * what it has.
 */
static void judge_go(const struct finder *f, struct stuck_set *s)
{
	bool never = sets_all(f, s, waits_for_ever);

	if (!never)
		s->maybe |= MAYBE_FINALIZED;
	s->hidden |= never && f->any_live && !s->n_behind;
}

/*
 * A program of a language whose threads all wait for work, a notification, a latch: it may be told to end, and
 * have said what is to be done then (a shutdown hook). Pools that have nothing to do are not shown. In Go there are no
 * such hooks: goroutines wait for signals, and those that do are known; in Node.js no listener runs while all its threads wait.
 */
void sets_judge_rest(const struct finder *f, struct stuck_set *s)
{
	if (!s->certain && is_service(f, s))
		s->hidden = true;
	if (!sets_all(f, s, rests))
		return;
	s->certain = false;
	if (sets_any(f, s, is_of_go)) {
		judge_go(f, s);
		return;
	}
	if (sets_any(f, s, is_of_node)) {
		s->maybe |= MAYBE_INSPECTOR;
		return;
	}
	s->maybe |= sets_all(f, s, has_no_hooks) ? MAYBE_KILLED : MAYBE_HOOK;
	s->hidden = sets_all(f, s, wants_work) || is_service(f, s);
}
