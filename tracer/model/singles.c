/* singles.c - which of many short events of a thread have a row of their own. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/private.h"

#include "schema/locks.h"

enum { SINGLES = 1000, SINGLES_PER_WINDOW = 10 };

bool model_is_single(struct singles *s, int64_t ts)
{
	int64_t window = ts / LOCK_FOLD_NS, passed = window - s->window;

	if (!s->begun || passed > 0) {
		unsigned more = s->begun && passed < SINGLES / SINGLES_PER_WINDOW
					? (unsigned)passed * SINGLES_PER_WINDOW
					: SINGLES;

		s->left = s->left + more < SINGLES ? s->left + more : SINGLES;
		s->window = window;
		s->begun = true;
	}
	if (!s->left)
		return false;
	s->left--;
	return true;
}
