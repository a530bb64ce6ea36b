/* sets.c - the sets of threads that block each other at one moment: which are certain, which only at rest. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/sets/private.h"

#include <signal.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"

static uint64_t ring_of(const struct state *st, uint32_t thread)
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
			s->hidden = sets_is_idle(f, s);
		else if (f->st->lost)
			s->certain = false;
		if (s->certain && sets_any(f, s, may_be_collected)) {
			s->certain = false;
			s->maybe |= MAYBE_COLLECTED;
		}
		sets_judge_rest(f, s);
		/* What is conditional already is so on these conditions, too. */
		for (size_t k = 0; !s->certain && !s->hidden && k < s->n_members; k++)
			s->maybe |= providers_rescues(f->pr->strict, s->members[k]);
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
