/* providers_rescue.c - what threads may do to the waits of others of their process, or to other processes, whatever the waits are for. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/private.h"

#include "base/mem.h"
#include "schema/query.h"
#include "schema/record.h"

/* The waits that a thread does not leave when it is cancelled, unless asynchronously: the C library waits on. */
static const bool outlasts_cancel[WAIT_REASON_END] = {[WAIT_LOCK] = true,
	[WAIT_BARRIER] = true,
	[WAIT_ONCE] = true,
	[WAIT_FUTEX] = true,
	[WAIT_VFORK] = true,
	[WAIT_STOPPED] = true};

/* Says whether another thread of its process can go on in a graph that is solved. */
static bool has_live_sibling(const struct providers *pr, uint32_t thread)
{
	const struct state *st = pr->st;
	const struct state_process *p = &st->processes[st->threads[thread].process];

	for (uint32_t t = p->first; t != STATE_NONE; t = st->threads[t].next)
		if (t != thread && !st->threads[t].housekeeping && pr->graph.nodes[t].live)
			return true;
	return false;
}

/* Says whether a thread waits in a function whose name matches a pattern of SQLite's GLOB. */
static bool is_within(const struct state *st, const struct state_thread *t, const char *pattern)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;

	if (!t->wait.stack_id || query_open(st->db,
					 "SELECT 1 FROM frame f JOIN site s ON s.id = f.site_id"
					 " WHERE f.stack_id = ?1 AND s.function GLOB ?2",
					 &stmt, st->why))
		return false;
	query_bind_int(stmt, 1, t->wait.stack_id);
	query_bind_text(stmt, 2, pattern);
	return query_step(stmt, st->why) > 0;
}

/*
 * Says whether a thread of Java leaves its wait when another one interrupts it: not while it enters a monitor or its class is
 * initialised, nor in the methods that lock regardless; in reads and writes only those of channels.
 */
static bool heeds_interrupt(const struct state *st, const struct state_thread *t)
{
	static const bool always[WAIT_REASON_END] = {
		[WAIT_JOIN] = true, [WAIT_CHILD] = true, [WAIT_FILE_LOCK] = true};
	static const bool of_channels[WAIT_REASON_END] = {[WAIT_PIPE_READ] = true,
		[WAIT_PIPE_WRITE] = true,
		[WAIT_SOCKET] = true,
		[WAIT_POLL] = true};
	const struct state_lock *l = state_lock_of(st, &t->wait);

	if (t->wait.reason == WAIT_LOCK && l && l->kind == LOCK_OBJECT)
		return !is_within(st, t, "java.util.concurrent.locks.*[.a-z][lL]ock");
	return always[t->wait.reason] ||
	       (of_channels[t->wait.reason] && is_within(st, t, "sun.nio.ch.*"));
}

uint64_t providers_rescues(const struct providers *pr, uint32_t thread)
{
	const struct state *st = pr->st;
	const struct state_thread *t = &st->threads[thread];
	const struct state_process *p = &st->processes[t->process];
	uint64_t how = providers_lock_rescues(pr, thread);

	if (!(p->cancels || p->is_java) || t->is_task || !has_live_sibling(pr, thread))
		return how;
	if (p->is_java && heeds_interrupt(st, t))
		how |= MAYBE_INTERRUPT;
	if (p->cancels & CANCELS_BY_CALL &&
		(p->cancels & CANCELS_AT_ONCE || !outlasts_cancel[t->wait.reason]))
		how |= MAYBE_CANCEL;
	if (p->cancels & CANCELS_BY_JUMP && state_lets_in(st, thread))
		how |= MAYBE_JUMP;
	return how;
}

bool providers_rescue(struct providers *pr)
{
	bool any = false;

	for (size_t i = 0; i < pr->st->n_threads; i++) {
		uint64_t how = pr->graph.nodes[i].live || !pr->st->threads[i].waits
				       ? 0
				       : providers_rescues(pr, (uint32_t)i);

		pr->maybe[i] |= how;
		pr->graph.nodes[i].source |= how != 0;
		any |= how != 0;
	}
	return any;
}

/* ---- The end of another process ---- */

/* Says whether a wait ends when a certain process does: what that has to give is not a word in memory, or a message. */
static bool is_for_process(enum wait_reason reason)
{
	return reason == WAIT_CHILD || reason == WAIT_VFORK || reason == WAIT_PIPE_READ ||
	       reason == WAIT_PIPE_WRITE || reason == WAIT_POLL || reason == WAIT_SOCKET ||
	       reason == WAIT_FILE_LOCK;
}

static bool has_dead_thread(const struct providers *pr, uint32_t process)
{
	const struct state *st = pr->st;

	for (uint32_t t = st->processes[process].first; t != STATE_NONE; t = st->threads[t].next)
		if (!st->threads[t].housekeeping && !pr->graph.nodes[t].live)
			return true;
	return false;
}

/*
 * Says whether a process that can go on may end a certain one. Who only watches over others that it has started (a test's
 * runner) does so when it gives them up.
 */
static bool may_be_ended(const struct providers *pr, uint32_t victim)
{
	const struct state *st = pr->st;

	for (uint32_t k = 0; k < st->n_processes; k++)
		if (k != victim && st->processes[k].alive &&
			st->processes[k].reopens & ENDS_OTHERS &&
			pr->graph.nodes[pr->process_node[k]].live &&
			(!state_is_ancestor(st, k, victim) || has_dead_thread(pr, k)))
			return true;
	return false;
}

/* Marks the nodes of processes that may be ended, by number of node. Returns whether there are any. */
static bool mark_victims(const struct providers *pr, bool *is_victim)
{
	const struct state *st = pr->st;
	bool any = false;

	for (uint32_t p = 0; p < st->n_processes; p++) {
		uint32_t node = pr->process_node[p];

		if (st->processes[p].alive && !pr->graph.nodes[node].live && may_be_ended(pr, p))
			any = is_victim[node] = true;
	}
	return any;
}

/* Says whether a thread rests on a process of those, not its own, through no other thread. seen: the last thread that came by a node. */
static bool rests_on_victim(const struct providers *pr, uint32_t thread, const bool *is_victim,
	uint32_t *seen, uint32_t *work)
{
	const struct fixpoint *g = &pr->graph;
	uint32_t own = pr->process_node[pr->st->threads[thread].process];
	size_t n = 0;

	work[n++] = thread;
	while (n) {
		const struct fixpoint_node *node = &g->nodes[work[--n]];

		for (uint32_t k = 0; k < node->n_down; k++) {
			uint32_t to = g->down[node->first_down + k];

			if (is_victim[to] && to != own)
				return true;
			if (to < pr->st->n_threads || seen[to] == thread + 1)
				continue;
			seen[to] = thread + 1;
			work[n++] = to;
		}
	}
	return false;
}

bool providers_rescue_by_kill(struct providers *pr)
{
	_cleanup_free_ bool *is_victim = xcalloc(pr->graph.n_nodes + 1, sizeof *is_victim);
	_cleanup_free_ uint32_t *seen = NULL, *work = NULL;
	bool any = false;

	if (!mark_victims(pr, is_victim))
		return false;
	seen = xcalloc(pr->graph.n_nodes + 1, sizeof *seen);
	work = xcalloc(pr->graph.n_nodes + 1, sizeof *work);
	for (uint32_t i = 0; i < pr->st->n_threads; i++) {
		const struct state_thread *t = &pr->st->threads[i];

		if (pr->graph.nodes[i].live || !t->waits || !is_for_process(t->wait.reason) ||
			!rests_on_victim(pr, i, is_victim, seen, work))
			continue;
		pr->maybe[i] |= MAYBE_ENDED;
		pr->graph.nodes[i].source = true;
		any = true;
	}
	return any;
}
