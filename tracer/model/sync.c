/* sync.c - conditions, semaphores, barriers, once, joining. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/locks.h"

static struct lock *object_of(struct model *m, struct thread *t, uint64_t op, uint64_t addr)
{
	int kind = (int)sync_info(op)->object;

	return kind && addr ? model_lock_at(m, t->proc, addr, kind, 0) : NULL;
}

/* Returns the row of a call that was forgotten for another one on top of it, 0: there is none. */
static int64_t take_below(struct thread *t, const struct rec_SYNC_END *rec)
{
	for (unsigned i = 0; i < ARRAY_SIZE(t->below); i++) {
		struct below *b = &t->below[i];
		int64_t row = b->row;

		if (!row || b->op != rec->op || b->addr != rec->addr)
			continue;
		b->row = 0;
		return row;
	}
	return 0;
}

/* The thread with a tid as the caller's own PID namespace numbers it. */
static int64_t target_of(const struct model *m, const struct thread *t, uint64_t tid)
{
	const struct thread *target = tid ? model_find_thread(m, tid) : NULL;

	if (target && target->proc == t->proc)
		return target->id;
	for (target = t->proc->threads; tid && target; target = target->peer) {
		if (target->ns_tid == tid)
			return target->id;
	}
	return STORE_NULL;
}

static void begin_barrier(struct model *m, struct lock *lock, uint64_t count)
{
	struct lock_stat *s = &lock->stat;

	if (count && count <= INT32_MAX && lock->initial != (int64_t)count) {
		lock->initial = (int64_t)count;
		model_lock_touch(m, lock);
	}
	s->value = (s->value == STORE_NULL ? 0 : s->value) + 1;
	if (lock->initial != STORE_NULL && s->value >= lock->initial)
		s->value = 0; /* all are there: they all go on */
	model_stat_touch(m, lock);
}

/*
 * The wait for a condition begins: the mutex is released. glibc releases one level of a recursive one
 * (__pthread_mutex_unlock_usercnt), which stays locked if it was held more often. Returns how often it is to be taken again.
 */
static uint32_t leave_mutex(struct model *m, struct thread *t, struct lock *mutex, int64_t ts)
{
	if ((mutex->type & 15) != LOCK_RECURSIVE)
		return model_hold_release(m, t, mutex, ts, t->call.site);
	(void)model_hold_end(m, t, mutex, ts, t->call.site);
	return 1;
}

void model_sync_begin(struct model *m, const struct rec_SYNC_BEGIN *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	struct call *call = &t->call;
	int64_t ts = model_time(m, rec->head.ts);

	if (!sync_info(rec->op)->name || t->proc->retired) {
		model_skip(m);
		return;
	}
	model_call_end(m, t);
	*call = (struct call){.open = true,
		.timed = rec->timed != 0,
		.op = (uint8_t)rec->op,
		.start = ts,
		.site = model_site(m, t->proc, rec->site, true),
		.target = target_of(m, t, rec->target),
		.addr = rec->addr,
		.mutex_addr = rec->mutex,
		.lock = object_of(m, t, rec->op, rec->addr)};
	if (call->lock)
		call->lock->refs++;
	if (rec->op == SYNC_COND_WAIT && rec->mutex) {
		call->mutex = model_lock_at(m, t->proc, rec->mutex, LOCK_MUTEX, 0);
		call->mutex->refs++;
		if (call->lock)
			call->lock->waiting++;
		call->depth = leave_mutex(m, t, call->mutex, ts);
	}
	if (rec->op == SYNC_BARRIER_WAIT && call->lock)
		begin_barrier(m, call->lock, rec->value);
	if (rec->op == SYNC_ONCE_RUN && call->lock)
		call->lock->runner = t->id;
	model_wait_call(m, t);
}

static void count_sem(
	struct model *m, struct thread *t, struct lock *lock, const struct rec_SYNC_END *rec)
{
	struct lock_stat *s = &lock->stat;

	if (rec->result)
		return;
	if (rec->op == SYNC_SEM_POST) {
		s->posts++;
		if (s->last_taker == t->id)
			s->cycles++;
		else
			s->foreign_posts++;
	} else {
		s->takes++;
		s->last_taker = t->id;
	}
	if (rec->value <= INT32_MAX)
		s->value = (int64_t)rec->value;
	model_stat_touch(m, lock);
}

/* The value of the row: how many waited for a condition, what a semaphore holds. */
static int64_t value_of(const struct lock *lock, const struct rec_SYNC_END *rec)
{
	if (rec->op == SYNC_COND_SIGNAL || rec->op == SYNC_COND_BROADCAST)
		return rec->value <= INT32_MAX ? (int64_t)rec->value
		       : lock                  ? (int64_t)lock->waiting
					       : STORE_NULL;
	return sync_info(rec->op)->object == LOCK_SEM && rec->value <= INT32_MAX
		       ? (int64_t)rec->value
		       : STORE_NULL;
}

static bool fits(const struct call *call, const struct rec_SYNC_END *rec)
{
	return call->open && !call->is_lock && call->op == rec->op && call->addr == rec->addr;
}

/*
 * A call whose beginning was not recorded, or was forgotten because a signal handler
 * or the unwinder of a cancelled thread called something on top of it: made now
 * from what its end says.
 */
static void begin_late(
	struct model *m, struct thread *t, const struct rec_SYNC_END *rec, int64_t ts)
{
	int64_t start = rec->start ? model_time(m, rec->start) : ts;

	model_call_end(m, t);
	t->call = (struct call){.op = (uint8_t)rec->op,
		.row = take_below(t, rec),
		.start = start < ts ? start : ts,
		.site = model_site(m, t->proc, rec->site, true),
		.target = target_of(m, t, rec->target),
		.lock = object_of(m, t, rec->op, rec->addr)};
	if (t->call.lock)
		t->call.lock->refs++;
	if (rec->op == SYNC_COND_WAIT && rec->mutex) {
		t->call.mutex = model_lock_at(m, t->proc, rec->mutex, LOCK_MUTEX, 0);
		t->call.mutex->refs++;
		t->call.depth = leave_mutex(m, t, t->call.mutex, t->call.start);
	}
}

/* The wait for a condition is over: the mutex is held again. */
static void retake_mutex(struct model *m, struct thread *t, int64_t ts)
{
	struct call *call = &t->call;
	struct hold *still = model_find_hold(t, call->mutex);

	if (still) {
		still->depth++;
		return;
	}
	if (t->n_held)
		model_edges(m, t, call->mutex, LOCK_MODE_X, call->site, false, ts, 1);
	model_hold_begin(m, t,
		&(struct hold){.lock = call->mutex,
			.request = STORE_NULL,
			.acquire = ts,
			.site = call->site,
			.depth = call->depth ? call->depth : 1,
			.mode = LOCK_MODE_X});
}

void model_sync_end(struct model *m, const struct rec_SYNC_END *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	int64_t ts = model_time(m, rec->head.ts);
	bool began = fits(&t->call, rec);
	struct lock *lock;

	if (!sync_info(rec->op)->name || t->proc->retired) {
		model_skip(m);
		return;
	}
	if (!began)
		begin_late(m, t, rec, ts);
	model_wait_called(m, t, ts);
	lock = t->call.lock;
	if (t->call.target == STORE_NULL && rec->target)
		t->call.target = target_of(m, t, rec->target);
	if (lock && lock->kind == LOCK_SEM)
		count_sem(m, t, lock, rec);
	if (lock && rec->op == SYNC_ONCE_RUN)
		lock->runner = STORE_NULL;
	if (!rec->result && lock)
		model_series_end(t, lock);
	model_call_write(m, t, ts, (int32_t)rec->result, value_of(lock, rec));
	if (t->call.mutex)
		retake_mutex(m, t, ts);
	model_call_close(m, t);
}
