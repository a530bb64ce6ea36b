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

/* Says whether a thread is one with which Java waits for a child to complete what the program has of it. */
static bool is_reaper(const struct state *st, uint32_t thread)
{
	const struct state_thread *t = &st->threads[thread];

	return t->wait.reason == WAIT_CHILD &&
	       query_pair(st->db,
		       "SELECT 1 FROM thread t JOIN wait w ON w.thread_id = t.id JOIN site s ON s.id = w.site_id"
		       " WHERE t.id = ?1 AND w.id = ?2 AND s.language = 'java'"
		       " AND (t.runtime_name = 'process reaper' OR t.runtime_name LIKE 'process reaper (pid %)')",
		       t->id, t->wait.id, 0, st->why);
}

/* Says whether another member is a thread of the same process that does more than that. */
static bool has_beside(const struct state *st, const struct stuck_set *s, uint32_t thread)
{
	for (size_t i = 0; i < s->n_members; i++)
		if (st->threads[s->members[i]].process == st->threads[thread].process &&
			!is_reaper(st, s->members[i]))
			return true;
	return false;
}

/* Leaves out who waits for a child on behalf of its process, where a thread of the program waits there, too. */
static void leave_out_reapers(const struct state *st, struct stuck_set *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_members; i++)
		if (!is_reaper(st, s->members[i]) || !has_beside(st, s, s->members[i]))
			s->members[n++] = s->members[i];
	s->n_members = n;
}

/* What is certain must be seen: losses leave room for an end of a wait that nobody saw. */
static void judge(const struct finder *f, struct stuck_sets *sets)
{
	for (size_t i = 0; i < sets->n; i++) {
		struct stuck_set *s = &sets->list[i];

		for (size_t k = 0; k < s->n_members; k++)
			s->maybe |= f->pr->maybe[s->members[k]] | ring_of(f->st, s->members[k]);
		/* All that was sent has been read. */
		if (s->asks)
			s->maybe = (s->maybe | MAYBE_ACCEPTOR) & ~MAYBE_FLIGHT;
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

/* Says whether a thread of a set asks another one of it, and nobody else can answer. */
static bool asks(const struct providers *asked, const struct stuck_set *s)
{
	for (size_t i = 0; i < s->n_members; i++)
		for (size_t k = 0; k < s->n_members; k++)
			if (asked->answerer[s->members[i]] == s->members[k] &&
				providers_is_answerless(asked, s->members[i]))
				return true;
	return false;
}

/* Adds the sets that a server makes which asks itself. Who waits there for work does not wait for the members. */
static void collect_asked(const struct state *st, struct stuck_sets *sets)
{
	struct providers asked = {0};
	struct stuck_sets found = {0};

	if (providers_build_asked(&asked, st))
		sets_collect(st, &asked, false, &found);
	for (size_t i = 0; i < found.n; i++) {
		struct stuck_set *s = &found.list[i];

		if (!asks(&asked, s)) {
			sets_free_one(s);
			continue;
		}
		s->asks = true;
		s->n_behind = 0;
		ARRAY_GROW(sets->list, sets->n, sets->cap);
		sets->list[sets->n++] = *s;
	}
	free(found.list);
	providers_done(&asked);
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
		collect_asked(st, ret);
		judge(&(struct finder){st, &generous, any_live(&strict)}, ret);
		for (size_t i = 0; i < ret->n; i++)
			leave_out_reapers(st, &ret->list[i]);
	}
	providers_done(&strict);
	providers_done(&generous);
	return rc;
}

void sets_done(struct stuck_sets *sets)
{
	for (size_t i = 0; i < sets->n; i++)
		sets_free_one(&sets->list[i]);
	free(sets->list);
	*sets = (struct stuck_sets){0};
}
