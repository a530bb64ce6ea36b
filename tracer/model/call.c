/* call.c - library calls that may wait: their rows, and the waits that they are; which wait is the oldest. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/locks.h"
#include "schema/waits.h"

bool model_futex_inside(int kind, uint64_t object, uint64_t futex)
{
	return futex - object < lock_info((uint64_t)kind)->bytes;
}

static enum wait_reason reason_of_call(const struct call *call)
{
	return call->is_lock ? WAIT_LOCK : sync_info(call->op)->reason;
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
			/* A thread that would close a cycle of PI mutexes is refused by the kernel: glibc parks it at a word of its own. */
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

/* Who waits for a spin lock never blocks: only the call tells that it does. */
static bool spins(const struct call *call)
{
	return call->is_lock && call->lock && call->lock->kind == LOCK_SPIN;
}

void model_wait_call(struct model *m, struct thread *t)
{
	if (t->wait.open) { /* the kernel's word came first */
		if (t->wait.futex)
			(void)model_wait_by_call(m, t);
		return;
	}
	if ((m->kernel_waits && !spins(&t->call)) || reason_of_call(&t->call) == WAIT_NONE)
		return;
	model_wait_open(m, t, t->call.start);
	t->wait.library = true;
	(void)model_wait_by_call(m, t);
	model_wait_resume(m, t);
	model_wait_repeat(t);
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

		if (w->open && (!w->timed || model_wait_repeats(w)) && w->start < oldest &&
			wait_info((unsigned)w->reason)->mode != MODE_LIVE)
			oldest = w->start;
	}
	return oldest == INT64_MAX ? 0 : (uint64_t)oldest + m->config.t0;
}

/* Who made and joined whom is asked for as long as the threads are. */
static bool says_who_is_there(enum sync_op op)
{
	return op == SYNC_CREATE || op == SYNC_DETACH || op == SYNC_JOIN;
}

void model_call_write(struct model *m, struct thread *t, int64_t end, int64_t result, int64_t value)
{
	struct call *call = &t->call;

	if (!call->row && end != STORE_NULL && !says_who_is_there(call->op) &&
		!model_keeps(m, t, DETAIL_LOCKS))
		return;

	struct row_sync row = {.id = call->row,
		.lock_id = call->lock ? call->lock->id : STORE_NULL,
		.thread_id = t->id,
		.op = sync_info(call->op)->name,
		.start_ns = call->start,
		.end_ns = end,
		.result = result,
		.site_id = call->site,
		.mutex_id = call->mutex ? call->mutex->id : STORE_NULL,
		.target_id = call->target,
		.value = value,
		.comm_id = STORE_NULL,
		.peer = STORE_NULL,
		.tag = STORE_NULL,
		.seq = STORE_NULL};

	store_write_numbered(m->store, STORE_SYNC, &row, &call->row);
}

void model_call_flush(struct model *m, struct thread *t)
{
	if (t->call.open && !t->call.is_lock && !t->call.row)
		model_call_write(m, t, STORE_NULL, STORE_NULL, STORE_NULL);
}

/* Empties the call of a thread. */
void model_call_close(struct model *m, struct thread *t)
{
	struct call *call = &t->call;

	if (call->open && !call->is_lock && call->op == SYNC_COND_WAIT && call->lock)
		call->lock->waiting -= call->lock->waiting > 0;
	if (call->open && call->is_lock && call->lock)
		call->lock->wanting -= call->lock->wanting > 0;
	if (call->lock)
		model_lock_unref(m, call->lock);
	if (call->mutex)
		model_lock_unref(m, call->mutex);
	*call = (struct call){.target = STORE_NULL};
}

void model_call_end(struct model *m, struct thread *t)
{
	model_call_flush(m, t);
	if (t->call.open && t->call.row)
		t->below[t->n_below++ % ARRAY_SIZE(t->below)] =
			(struct below){t->call.row, t->call.addr, t->call.op};
	if (t->call.open)
		model_call_close(m, t);
}
