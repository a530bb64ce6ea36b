/* polled.c - locks that a thread asks for again and again, and sleeps between. */
/* SPDX-License-Identifier: MIT */
/*
 * apt asks once a second for dpkg's lock; a loop tries a mutex and backs off. The kernel sees nothing but sleeps.
 * A sleep that follows at once on a refusal, and not on the first one, is a wait for that lock. It may end whenever
 * the thread gives up: it never makes a deadlock.
 */
#include "tracer/model/private.h"

enum { LEAST = 2 /* refusals */ };

/* What lies further apart has nothing to do with each other. */
static const int64_t between_ns = 10000000000, at_once_ns = 100000000;

void model_polled_forget(struct model *m, struct thread *t)
{
	if (t->polled.lock)
		model_lock_unref(m, t->polled.lock);
	t->polled.lock = NULL;
}

void model_polled(struct model *m, struct thread *t, struct lock *lock, bool refused, int64_t ts)
{
	struct polled *p = &t->polled;

	if (!refused) {
		if (p->lock == lock)
			model_polled_forget(m, t);
		return;
	}
	if (p->lock != lock || ts - p->last > between_ns) {
		model_polled_forget(m, t);
		lock->refs++;
		*p = (struct polled){.lock = lock, .first = ts};
	}
	p->last = ts;
	p->n++;
}

void model_polled_wait(struct model *m, struct thread *t)
{
	const struct polled *p = &t->polled;
	struct wait *w = &t->wait;

	if (w->reason != WAIT_SLEEP || !p->lock || p->n < LEAST || w->start - p->last > at_once_ns)
		return;
	model_wait_on_lock(m, t, p->lock, WAIT_LOCK_POLL, LOCK_MODE_X);
	w->user = p->first;
}
