/* hold.c - threads that take, hold and release locks: the path of most records. */
/* SPDX-License-Identifier: MIT */
/*
 * Nothing here allocates or searches more than a thread's few held locks. A
 * hold is written when it ends; those that are open at a commit are written
 * with a NULL end and completed later by their id.
 */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/names.h"

#include <errno.h>

/* A thread that took more different locks than this counts as new for each again. */
enum { MAX_TOUCHED = 16384 };

static void write_hold(struct model *m, const struct hold *h, int64_t thread_id, int64_t release,
	int64_t release_site)
{
	struct row_lock_hold row = {.id = h->row,
		.lock_id = h->lock->id,
		.thread_id = thread_id,
		.mode = h->mode == LOCK_MODE_S ? "s" : NULL,
		.request_ns = h->request,
		.acquire_ns = h->acquire,
		.release_ns = release,
		.site_id = h->site,
		.release_site_id = release_site,
		.stack_id = h->stack ? h->stack : STORE_NULL,
		.count = STORE_NULL,
		.held_ns = STORE_NULL};

	if (h->row)
		store_replace(m->store, STORE_LOCK_HOLD, &row);
	else
		*(struct row_lock_hold *)store_room(m->store, STORE_LOCK_HOLD) = row;
}

/* Counts how many threads took a lock: each once, as long as it remembers. */
static void count_thread(struct thread *t, struct lock *lock)
{
	lock->last_thread = t->id;
	if (hash_get(&t->touched, (uint64_t)lock->id))
		return;
	if (t->touched.len >= MAX_TOUCHED)
		hash_done(&t->touched);
	(void)hash_set(&t->touched, (uint64_t)lock->id, t);
	lock->stat.threads++;
}

void model_hold_begin(struct model *m, struct thread *t, const struct hold *hold)
{
	struct lock *lock = hold->lock;

	ARRAY_GROW(t->held, t->n_held, t->cap_held);
	t->held[t->n_held++] = *hold;
	lock->refs++;
	if (hold->mode == LOCK_MODE_X)
		lock->owner = t;
	lock->stat.holds++;
	if (lock->last_thread != t->id)
		count_thread(t, lock);
	if (!lock->stat_dirty)
		model_stat_touch(m, lock);
	if (t->n_held == 1)
		t->lane.hold_start = hold->acquire;
	model_lane_took(m, t, hold->acquire, 1);
}

void model_hold_several(struct model *m, struct thread *t, const struct holds *h)
{
	struct lock *lock = h->lock;

	lock->stat.holds += h->count;
	lock->stat.hold_ns += h->held;
	if (h->longest > lock->stat.max_hold_ns) {
		lock->stat.max_hold_ns = h->longest;
		lock->stat.max_hold_site = h->site;
	}
	if (lock->last_thread != t->id)
		count_thread(t, lock);
	model_stat_touch(m, lock);
	model_lane_took(m, t, h->first, h->count);
	/* They are close together: in which bucket of time they lie makes no difference. */
	if (!t->n_held)
		model_lane_held(m, t, h->last - h->held, h->last);
	if (model_keeps(m, t, DETAIL_LOCKS))
		model_fold_several(m, t, h);
}

/* Adds the time up to ts to the sums of the lock, however the hold ends. */
static void count_held(struct model *m, const struct hold *h, int64_t ts)
{
	struct lock_stat *s = &h->lock->stat;
	int64_t held = ts > h->acquire ? ts - h->acquire : 0;

	s->hold_ns += held;
	if (held > s->max_hold_ns) {
		s->max_hold_ns = held;
		s->max_hold_site = h->site;
	}
	if (!h->lock->stat_dirty)
		model_stat_touch(m, h->lock);
}

/* Takes a hold out of the stack of a thread. */
void model_hold_drop(struct model *m, struct thread *t, struct hold *h, int64_t ts)
{
	struct lock *lock = h->lock;

	count_held(m, h, ts);
	if (lock->owner == t)
		lock->owner = NULL;
	t->n_held--;
	for (struct hold *end = t->held + t->n_held; h < end; h++)
		h[0] = h[1];
	if (!t->n_held)
		model_lane_hold(m, t, ts);
	model_lock_unref(m, lock);
}

struct hold *model_find_hold(const struct thread *t, const struct lock *lock)
{
	for (size_t i = t->n_held; i > 0; i--) {
		if (t->held[i - 1].lock == lock)
			return &t->held[i - 1];
	}
	return NULL;
}

bool model_hold_end(struct model *m, struct thread *t, struct lock *lock, int64_t ts, int64_t site)
{
	struct hold *h = model_find_hold(t, lock);

	if (!h)
		return false;
	if (h->depth > 1) {
		h->depth--;
		return true;
	}
	if (lock->kind == LOCK_FILE && lock->user_list)
		model_lock_share_end(m, lock, t->id, NULL, ts);
	if ((h->row || model_keeps(m, t, DETAIL_LOCKS)) && !model_fold(m, t, h, ts, site))
		write_hold(m, h, t->id, ts, site);
	model_hold_drop(m, t, h, ts);
	return true;
}

uint32_t model_hold_release(
	struct model *m, struct thread *t, struct lock *lock, int64_t ts, int64_t site)
{
	struct hold *h = model_find_hold(t, lock);
	uint32_t depth = h ? h->depth : 0;

	if (!h)
		return 0;
	h->depth = 1;
	(void)model_hold_end(m, t, lock, ts, site);
	return depth;
}

void model_holds_flush(struct model *m, struct thread *t)
{
	for (size_t i = 0; i < t->n_held; i++) {
		if (t->held[i].row)
			continue;
		write_hold(m, &t->held[i], t->id, STORE_NULL, STORE_NULL);
		t->held[i].row = store_last_id(m->store, STORE_LOCK_HOLD);
	}
}

void model_holds_drop(struct model *m, struct thread *t)
{
	model_holds_flush(m, t);
	for (size_t i = t->n_held; i > 0; i--)
		if (t->held[i - 1].lock->kind != LOCK_FILE)
			model_hold_drop(m, t, &t->held[i - 1], m->now);
}

void model_holds_count(struct model *m)
{
	for (const struct thread *t = m->all_threads; t; t = t->next)
		for (size_t i = 0; i < t->n_held; i++)
			count_held(m, &t->held[i], m->now);
}

void model_hold_complete(struct model *m, const struct hold *h, int64_t thread_id, int64_t ts)
{
	write_hold(m, h, thread_id, ts, STORE_NULL);
}
