/* hold.c - threads that take, hold and release locks: the path of most records. */
/* SPDX-License-Identifier: MIT */
/*
 * Nothing here allocates or searches more than a thread's few held locks. A
 * hold is written when it ends; those that are open at a commit are written
 * with a NULL end and completed later by their id.
 */
#include "base/mem.h"
#include "schema/names.h"
#include "tracer/model/hold.h"
#include "tracer/model/lock.h"
#include "tracer/model/process.h"
#include "tracer/model/sample.h"
#include "tracer/model/site.h"
#include "tracer/model/wait.h"

#include <errno.h>

/* A thread that took so many different locks counts as new for each again. */
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
		.release_site_id = release_site};

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
	model_lane_took(m, t, hold->acquire);
}

/* Takes a hold out of the stack of a thread. */
static void drop_hold(struct model *m, struct thread *t, struct hold *h, int64_t ts)
{
	struct lock *lock = h->lock;

	if (lock->owner == t)
		lock->owner = NULL;
	t->n_held--;
	for (struct hold *end = t->held + t->n_held; h < end; h++)
		h[0] = h[1];
	if (!t->n_held)
		model_lane_hold(m, t, ts);
	model_lock_unref(m, lock);
}

static struct hold *find_hold(const struct thread *t, const struct lock *lock)
{
	for (size_t i = t->n_held; i > 0; i--) {
		if (t->held[i - 1].lock == lock)
			return &t->held[i - 1];
	}
	return NULL;
}

bool model_hold_end(struct model *m, struct thread *t, struct lock *lock, int64_t ts, int64_t site)
{
	struct hold *h = find_hold(t, lock);
	int64_t held;

	if (!h)
		return false;
	if (h->depth > 1) {
		h->depth--;
		return true;
	}
	held = ts - h->acquire;
	lock->stat.hold_ns += held;
	if (held > lock->stat.max_hold_ns) {
		lock->stat.max_hold_ns = held;
		lock->stat.max_hold_site = h->site;
	}
	if (!lock->stat_dirty)
		model_stat_touch(m, lock);
	if (lock->kind == LOCK_FILE && lock->user_list)
		model_lock_share_end(m, lock, t->id, NULL, ts);
	write_hold(m, h, t->id, ts, site);
	drop_hold(m, t, h, ts);
	return true;
}

uint32_t model_hold_release(
	struct model *m, struct thread *t, struct lock *lock, int64_t ts, int64_t site)
{
	struct hold *h = find_hold(t, lock);
	uint32_t depth = h ? h->depth : 0;

	if (!h)
		return 0;
	h->depth = 1;
	(void)model_hold_end(m, t, lock, ts, site);
	return depth;
}

static void lock_error(struct model *m, const struct thread *t, const struct lock *lock,
	const struct rec_head *head, const char *kind, int error, int64_t site)
{
	store_put(m->store, STORE_LOCK_ERROR,
		&(struct row_lock_error){.lock_id = lock->id,
			.thread_id = t->id,
			.ts_ns = model_time(m, head->ts),
			.kind = kind,
			.errno_ = error,
			.owner_id = lock->owner ? lock->owner->id : STORE_NULL,
			.site_id = site});
}

/* A call that asks for a lock has failed: worth a row unless it only tried, or gave up in time. */
static void refused(struct model *m, struct thread *t, struct lock *lock,
	const struct rec_LOCK_ACQUIRE *rec, int64_t site)
{
	int error = (int)(rec->result & 0xffff);

	if (error == EBUSY || error == ETIMEDOUT)
		return;
	lock_error(m, t, lock, &rec->head, error == EDEADLK ? "deadlock" : "other", error, site);
}

/* Says whether a lock may be taken again by the thread that has it. */
static bool is_nested(const struct lock *lock, const struct hold *h, uint64_t mode)
{
	if (mode == LOCK_MODE_S && h->mode == LOCK_MODE_S)
		return true;
	return lock->kind == LOCK_MUTEX && ((lock->type & 15) == LOCK_RECURSIVE || !lock->type);
}

static bool check_lock(uint64_t kind, uint64_t mode)
{
	return kind >= LOCK_MUTEX && kind <= LOCK_ONCE && kind != LOCK_FILE &&
	       (mode == LOCK_MODE_X || mode == LOCK_MODE_S);
}

void model_lock_request(struct model *m, const struct rec_LOCK_REQUEST *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	struct lock *lock;
	struct call *call = &t->call;
	int64_t ts = model_time(m, rec->head.ts);

	if (!check_lock(rec->kind, rec->mode) || t->proc->slim || rec->type > 63) {
		model_skip(m);
		return;
	}
	lock = model_lock_at(m, t->proc, rec->addr, (int)rec->kind, (unsigned)rec->type);
	model_call_end(m, t);
	lock->refs++;
	*call = (struct call){.open = true,
		.is_lock = true,
		.timed = rec->timed != 0,
		.mode = (uint8_t)rec->mode,
		.start = ts,
		.site = model_site(m, t->proc, rec->site, true),
		.target = STORE_NULL,
		.addr = rec->addr,
		.lock = lock};
	if (t->n_held)
		model_edges(m, t, lock, call->mode, call->site, call->timed, ts);
	model_wait_call(m, t);
}

/* Ends the request for a lock; returns whether there was one, so that the lock was waited for. */
static bool end_request(struct model *m, struct thread *t, const struct lock *lock, int64_t ts)
{
	bool waited = t->waited == lock->id;

	t->waited = 0;
	if (!t->call.open || !t->call.is_lock)
		return waited;
	waited |= t->call.lock == lock;
	model_wait_called(m, t, ts);
	model_call_end(m, t);
	return waited;
}

static void count_wait(
	struct model *m, struct thread *t, struct lock *lock, int64_t start, int64_t end)
{
	lock->stat.contended++;
	lock->stat.wait_ns += end - start;
	if (end - start > lock->stat.max_wait_ns)
		lock->stat.max_wait_ns = end - start;
	model_stat_touch(m, lock);
	model_lane_wait(m, t, start, end);
}

void model_stat_waited(
	struct model *m, struct thread *t, struct lock *lock, int64_t start, int64_t end)
{
	t->waited = lock->id;
	/* Where nobody tells of acquisitions the waits alone are counted. */
	if (t->proc->lock_source <= LOCKS_FUTEX && !lock->stat.holds)
		count_wait(m, t, lock, start, end);
}

/* A lock is taken that the thread has already: deeper, or its release was missed. */
static bool take_again(
	struct model *m, struct thread *t, struct lock *lock, uint64_t mode, int64_t ts)
{
	struct hold *h = find_hold(t, lock);

	if (!h)
		return false;
	if (is_nested(lock, h, mode)) {
		h->depth++;
		return true;
	}
	h->depth = 1;
	(void)model_hold_end(m, t, lock, ts, STORE_NULL);
	return false;
}

void model_lock_acquire(struct model *m, const struct rec_LOCK_ACQUIRE *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	int64_t ts = model_time(m, rec->head.ts), site, request = model_time(m, rec->request);
	struct lock *lock;
	bool waited, tried = rec->attempt != LOCK_PLAIN;

	if (!check_lock(rec->kind, rec->mode) || t->proc->slim || rec->type > 63) {
		model_skip(m);
		return;
	}
	lock = model_lock_at(m, t->proc, rec->addr, (int)rec->kind, (unsigned)rec->type);
	site = model_site(m, t->proc, rec->site, true);
	if (!rec->request || request > ts)
		request = ts;
	waited = end_request(m, t, lock, ts) && request < ts;
	if (waited)
		count_wait(m, t, lock, request, ts);
	if (rec->attempt == LOCK_TRY)
		model_spin_try(m, t, lock, site, (int)rec->result, ts);
	if (rec->result && rec->result != EOWNERDEAD) {
		refused(m, t, lock, rec, site);
		return;
	}
	if (rec->result)
		lock_error(m, t, lock, &rec->head, "owner-dead", EOWNERDEAD, site);
	if (lock->abandoned)
		model_abandoned_drop(m, lock, rec->mode == LOCK_MODE_X, ts);
	/* Its owner has ended a moment ago and is still kept for records that are late. */
	if (lock->owner && lock->owner != t && lock->owner->end != STORE_NULL)
		(void)model_hold_end(m, lock->owner, lock, ts, STORE_NULL);
	if (t->n_held) {
		if (take_again(m, t, lock, rec->mode, ts))
			return;
		if (!waited)
			model_edges(m, t, lock, (uint8_t)rec->mode, site, tried, ts);
	}
	model_hold_begin(m, t,
		&(struct hold){.lock = lock,
			.request = waited ? request : STORE_NULL,
			.acquire = ts,
			.site = site,
			.depth = 1,
			.mode = (uint8_t)rec->mode});
}

/* The thread of a process that has a lock, whoever it is. */
static struct thread *any_holder(const struct thread *t, const struct lock *lock)
{
	if (lock->owner)
		return lock->owner;
	for (struct thread *other = t->proc->threads; other; other = other->peer) {
		if (find_hold(other, lock))
			return other;
	}
	return NULL;
}

/* A thread released a lock that it does not have: then the one that has it does not any more. */
static void release_foreign(struct model *m, struct thread *t, struct lock *lock,
	const struct rec_LOCK_RELEASE *rec, int64_t site)
{
	int64_t ts = model_time(m, rec->head.ts);
	struct thread *holder;

	if (lock->abandoned) {
		model_abandoned_drop(m, lock, true, ts);
		return;
	}
	if (lock->stat.holds && lock->from_birth &&
		(lock->kind == LOCK_MUTEX || lock->kind == LOCK_RWLOCK))
		lock_error(m, t, lock, &rec->head, "unlock", 0, site);
	holder = any_holder(t, lock);
	if (!holder)
		return;
	lock->stat.foreign_posts++;
	(void)model_hold_end(m, holder, lock, ts, site);
}

void model_lock_release(struct model *m, const struct rec_LOCK_RELEASE *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	int64_t ts = model_time(m, rec->head.ts), site;
	struct lock *lock;

	if (!check_lock(rec->kind, LOCK_MODE_X) || t->proc->slim) {
		model_skip(m);
		return;
	}
	lock = model_lock_at(m, t->proc, rec->addr, (int)rec->kind, 0);
	site = model_site(m, t->proc, rec->site, true);
	if (rec->result)
		lock_error(m, t, lock, &rec->head, "unlock", (int)(rec->result & 0xffff), site);
	else if (!model_hold_end(m, t, lock, ts, site))
		release_foreign(m, t, lock, rec, site);
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
	while (t->n_held)
		drop_hold(m, t, &t->held[t->n_held - 1], m->now);
}

void model_holds_abandon(struct model *m, struct thread *t)
{
	model_holds_flush(m, t);
	while (t->n_held) {
		struct hold *h = &t->held[t->n_held - 1];
		/*
		 * The memory goes with the process: what it alone could reach is no longer of
		 * interest, unless the thread was torn out of a wait that may have been forever.
		 */
		bool gone = t->proc->ended && t->end >= t->proc->end && !h->lock->pshared &&
			    t->torn != 1;

		if (!gone && !h->lock->dead && h->lock->kind != LOCK_FILE)
			(void)model_abandoned_add(m, h, t->id, t->proc->id);
		drop_hold(m, t, h, t->end);
	}
}

void model_hold_complete(struct model *m, const struct hold *h, int64_t thread_id, int64_t ts)
{
	write_hold(m, h, thread_id, ts, STORE_NULL);
}
