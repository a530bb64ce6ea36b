/* folding.c - many short events of a thread: which have a row of their own, and whose common rows are not written yet. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/private.h"

#include "schema/locks.h"

bool model_is_single(struct singles *s, int64_t ts)
{
	int64_t window = ts / LOCK_FOLD_NS, passed = window - s->window;

	if (!s->begun || passed > 0) {
		unsigned more = s->begun && passed < FOLD_SINGLES / FOLD_SINGLES_PER_WINDOW
					? (unsigned)passed * FOLD_SINGLES_PER_WINDOW
					: FOLD_SINGLES;

		s->left = s->left + more < FOLD_SINGLES ? s->left + more : FOLD_SINGLES;
		s->window = window;
		s->begun = true;
	}
	if (!s->left)
		return false;
	s->left--;
	return true;
}

void model_folding_enter(struct model *m, struct thread *t)
{
	if (t->folding.link)
		return;
	t->folding = (struct folding){m->folding, &m->folding};
	if (t->folding.next)
		t->folding.next->folding.link = &t->folding.next;
	m->folding = t;
}

void model_folding_leave(struct thread *t)
{
	if (!t->folding.link)
		return;
	*t->folding.link = t->folding.next;
	if (t->folding.next)
		t->folding.next->folding.link = t->folding.link;
	t->folding.link = NULL;
}
