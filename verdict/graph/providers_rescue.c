/* providers_rescue.c - what threads may do to the waits of others of their process, whatever these are for. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/private.h"

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

uint64_t providers_rescues(const struct providers *pr, uint32_t thread)
{
	const struct state *st = pr->st;
	const struct state_thread *t = &st->threads[thread];
	const struct state_process *p = &st->processes[t->process];
	uint64_t how = providers_lock_rescues(pr, thread);

	if (!p->cancels || t->is_task || !has_live_sibling(pr, thread))
		return how;
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
