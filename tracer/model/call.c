/* call.c - library calls as waits; which wait is the oldest. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/wait.h"

#include "schema/waits.h"

static int reason_of_call(const struct call *call)
{
	if (call->is_lock)
		return WAIT_LOCK;
	switch ((enum sync_op)call->op) {
	case SYNC_COND_WAIT:
		return WAIT_COND;
	case SYNC_SEM_WAIT:
		return WAIT_SEM;
	case SYNC_BARRIER_WAIT:
		return WAIT_BARRIER;
	case SYNC_ONCE_WAIT:
		return WAIT_ONCE;
	case SYNC_JOIN:
		return WAIT_JOIN;
	case SYNC_COND_SIGNAL:
	case SYNC_COND_BROADCAST:
	case SYNC_SEM_TRYWAIT:
	case SYNC_SEM_POST:
	case SYNC_ONCE_RUN:
	case SYNC_DETACH:
	case SYNC_CREATE:
		break;
	}
	return WAIT_NONE;
}

bool model_wait_by_call(struct model *m, struct thread *t)
{
	const struct call *call = &t->call;
	struct wait *w = &t->wait;
	int reason = call->open ? reason_of_call(call) : WAIT_NONE;
	struct lock *lock = call->lock;

	if (reason == WAIT_NONE)
		return false;
	if (w->futex && reason == WAIT_JOIN) {
		if (call->target == STORE_NULL)
			return false;
	} else if (w->futex) {
		if (call->mutex && model_futex_inside(LOCK_MUTEX, call->mutex_addr, w->futex)) {
			lock = call->mutex;
			reason = WAIT_LOCK;
		} else if (!lock || (!model_futex_inside(lock->kind, call->addr, w->futex) &&
					    !(call->is_lock && lock->type & LOCK_PI))) {
			/* Who asks for a PI mutex in a circle is refused by the kernel: glibc parks it at a word of its own. */
			return false;
		}
	}
	model_wait_on_lock(m, t, lock, reason, call->mode ? call->mode : LOCK_MODE_X);
	w->target_thread = call->target;
	if (reason == WAIT_ONCE && lock)
		w->target_thread = lock->runner;
	w->user = call->start;
	if (call->site != STORE_NULL)
		w->site = call->site;
	w->timed |= call->timed;
	return true;
}

void model_wait_call(struct model *m, struct thread *t)
{
	if (t->wait.open) { /* the kernel's word came first */
		if (t->wait.futex)
			(void)model_wait_by_call(m, t);
		return;
	}
	if (m->kernel_waits || reason_of_call(&t->call) == WAIT_NONE)
		return;
	model_wait_open(m, t, t->call.start);
	t->wait.library = true;
	(void)model_wait_by_call(m, t);
}

void model_wait_called(struct model *m, struct thread *t, int64_t ts)
{
	if (t->wait.open && t->wait.library)
		model_wait_close(m, t, ts, STORE_NULL);
}

uint64_t model_oldest_wait(const struct model *m)
{
	int64_t oldest = INT64_MAX;

	for (const struct thread *t = m->all_threads; t; t = t->next) {
		const struct wait *w = &t->wait;

		if (w->open && !w->timed && w->start < oldest &&
			wait_info((unsigned)w->reason)->mode != MODE_LIVE)
			oldest = w->start;
	}
	return oldest == INT64_MAX ? 0 : (uint64_t)oldest + m->config.t0;
}
