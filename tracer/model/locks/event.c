/* event.c - what probes tell of locks: initialised, asked for, acquired, released, destroyed. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/locks.h"

#include <errno.h>

/* Of a LOCK_STACK record; and stacks of a recording, of which more are not told apart. */
enum { LOCK_FRAMES = 8, MAX_STACKS = 1000 * 1000 };

/* A record cannot stand for more holds, nor for a longer time. */
enum { MAX_FOLD = 1 << 20, MAX_FOLD_NS = 1000000000 };

_Static_assert(sizeof(struct rec_LOCK_STACK) ==
		       sizeof(struct rec_head) + (1 + LOCK_FRAMES) * sizeof(rec_u64),
	"the frames, one after the other");

/* The lock of a record that says that it is shared between processes. */
static struct lock *init_shared(struct model *m, struct proc *p, const struct rec_LOCK_INIT *rec)
{
	struct proc *vm = p->vm;
	struct lock *old = model_find_lock(p, rec->addr), *lock;

	if (!rec->dev) { /* where it is mapped from is not known: by inheritance alone */
		lock = model_lock_at(m, p, rec->addr, (int)rec->kind, (unsigned)rec->type);
		lock->process_id = STORE_NULL;
		lock->pshared = true;
	} else {
		lock = model_lock_shared(m, p, rec->dev, rec->inode, rec->offset, (int)rec->kind);
		if (lock->address == STORE_NULL)
			lock->address = (int64_t)rec->addr;
		if (old != lock) {
			if (old && !old->pshared)
				model_lock_kill(m, old);
			vm->n_shared += !old || !old->pshared;
			(void)hash_set(&vm->locks, rec->addr, lock);
		}
	}
	model_lock_user(m, lock, vm, model_time(m, rec->head.ts));
	return lock;
}

/* A process that sees a shared object first, or opens a semaphore by its name, tells the value of that moment. */
static bool begins_anew(const struct rec_LOCK_INIT *rec)
{
	return rec->site && !rec->name[0];
}

void model_lock_init(struct model *m, const struct rec_LOCK_INIT *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	struct lock *lock;

	if (!lock_info(rec->kind)->name || rec->kind == LOCK_FILE || rec->type >= LOCK_TYPE_END ||
		t->proc->retired) {
		model_skip(m);
		return;
	}
	if (rec->pshared) {
		lock = init_shared(m, t->proc, rec);
	} else {
		lock = model_find_lock(t->proc, rec->addr);
		/* Without a site it was only seen for the first time. */
		if (lock && rec->site && !lock->pshared) {
			model_abandoned_drop(m, lock, true, model_time(m, rec->head.ts));
			model_lock_kill(m, lock);
			(void)hash_del(&t->proc->vm->locks, rec->addr);
		}
		lock = model_lock_at(m, t->proc, rec->addr, (int)rec->kind, (unsigned)rec->type);
	}
	if (rec->type)
		lock->type = (unsigned)rec->type;
	if (rec->site)
		lock->init_site = model_site(m, t->proc, rec->site, true);
	if ((rec->kind == LOCK_SEM || rec->kind == LOCK_BARRIER) &&
		(lock->initial == STORE_NULL || begins_anew(rec)))
		lock->initial = (int64_t)rec->value;
	if (rec->kind == LOCK_SEM && lock->stat.value == STORE_NULL)
		lock->stat.value = (int64_t)rec->value;
	if (rec->name[0] && !lock->name) {
		lock->name = xstrndup(rec->name, sizeof rec->name);
		lock->outside = lock->pshared;
	}
	model_lock_touch(m, lock);
	model_stat_touch(m, lock);
}

void model_lock_destroy(struct model *m, const struct rec_LOCK_DESTROY *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	struct proc *vm = t->proc->vm;
	struct lock *lock = model_find_lock(t->proc, rec->addr);

	if (!lock || (rec->kind && lock->kind != rec->kind))
		return;
	lock->destroyed = model_time(m, rec->head.ts);
	model_abandoned_drop(m, lock, true, lock->destroyed);
	model_lock_touch(m, lock);
	(void)hash_del(&vm->locks, rec->addr);
	if (!lock->pshared) {
		model_lock_kill(m, lock);
		return;
	}
	vm->n_shared -= vm->n_shared > 0;
	model_lock_unlist(m, lock);
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
	return lock->kind == LOCK_MUTEX &&
	       ((lock->type & LOCK_TYPE_BASE) == LOCK_RECURSIVE || !lock->type);
}

static bool check_lock(uint64_t kind, uint64_t mode)
{
	return kind > LOCK_NONE && kind < LOCK_KIND_END && kind != LOCK_FILE &&
	       (mode == LOCK_MODE_X || mode == LOCK_MODE_S);
}

void model_lock_request(struct model *m, const struct rec_LOCK_REQUEST *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	struct lock *lock;
	struct call *call = &t->call;
	int64_t ts = model_time(m, rec->head.ts);

	if (!check_lock(rec->kind, rec->mode) || t->proc->retired || rec->type >= LOCK_TYPE_END) {
		model_skip(m);
		return;
	}
	lock = model_lock_at(m, t->proc, rec->addr, (int)rec->kind, (unsigned)rec->type);
	model_call_end(m, t);
	lock->refs++;
	lock->wanting++;
	lock->wanted_count++;
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
		model_edges(m, t, lock, call->mode, call->site, call->timed, ts, 1);
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

/* A lock is taken that the thread already has: recursively, or its release was missed. */
static bool take_again(
	struct model *m, struct thread *t, struct lock *lock, uint64_t mode, int64_t ts)
{
	struct hold *h = model_find_hold(t, lock);

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

/* Writes the frames of a stack that has not been seen yet. */
static struct lock_stack *new_stack(struct model *m, struct proc *p, const rec_u64 *frames)
{
	struct lock_stack *s = xcalloc(1, sizeof *s);
	bool has_site = false;
	int64_t depth = 0;

	s->id = m->ids.stack++;
	s->innermost = frames[0];
	s->site = model_site(m, p, frames[0], true);
	for (size_t i = 0; i < LOCK_FRAMES && frames[i]; i++) {
		struct model_frame rows[MODEL_INLINED];
		size_t n = model_frames(m, p, frames[i], true, rows);

		for (size_t k = 0; k < n; k++) {
			store_replace(m->store, STORE_FRAME,
				&(struct row_frame){.stack_id = s->id,
					.depth = depth++,
					.site_id = rows[k].site,
					.library = rows[k].is_library});
			if (!has_site && !rows[k].is_library)
				s->site = rows[k].site;
			has_site |= !rows[k].is_library;
		}
	}
	return s;
}

void model_lock_stack(struct model *m, const struct rec_LOCK_STACK *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	uint64_t key = hash_mix((uint64_t)t->proc->id, rec->id, 0);
	struct lock_stack *s = hash_get(&m->lock_stacks, key);

	if (rec->frame_0 && !t->proc->retired && (!s || s->innermost != rec->frame_0) &&
		m->lock_stacks.len < MAX_STACKS) {
		s = new_stack(m, t->proc, &rec->frame_0);
		/* One that had the number before stays in the list: threads may have it still. */
		s->next = m->stack_list;
		m->stack_list = s;
		(void)hash_set(&m->lock_stacks, key, s);
	}
	t->lock_stack = s;
}

/*
 * Returns the place where a lock was acquired, and sets *ret_stack to the stack that was told before (LOCK_STACK), which
 * begins outside of libraries; 0: none. A signal handler that took a lock between the two has told its own.
 */
static int64_t place_of(struct model *m, const struct thread *t, uint64_t site, int64_t *ret_stack)
{
	bool told = t->lock_stack && t->lock_stack->innermost == site;
	int64_t own = model_site(m, t->proc, site, true);

	*ret_stack = told ? t->lock_stack->id : 0;
	return told ? t->lock_stack->site : own;
}

/* Ends what others cannot have any more of a lock that a thread takes: a hold that was abandoned, or one of an owner who has ended. */
static void drop_ended(
	struct model *m, const struct thread *t, struct lock *lock, uint64_t mode, int64_t ts)
{
	if (lock->abandoned)
		model_abandoned_drop(m, lock, mode == LOCK_MODE_X, ts);
	/* Its owner has ended a moment ago and is still kept for records that are late. */
	if (lock->owner && lock->owner != t && lock->owner->end != STORE_NULL)
		(void)model_hold_end(m, lock->owner, lock, ts, STORE_NULL);
}

void model_lock_acquire(struct model *m, const struct rec_LOCK_ACQUIRE *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	int64_t ts = model_time(m, rec->head.ts), request = model_time(m, rec->request);
	int64_t site, stack;
	struct lock *lock;
	bool waited, tried = rec->attempt != LOCK_PLAIN;

	if (!check_lock(rec->kind, rec->mode) || t->proc->retired || rec->type >= LOCK_TYPE_END) {
		model_skip(m);
		return;
	}
	lock = model_lock_at(m, t->proc, rec->addr, (int)rec->kind, (unsigned)rec->type);
	site = place_of(m, t, rec->site, &stack);
	if (!rec->request || request > ts)
		request = ts;
	waited = end_request(m, t, lock, ts) && request < ts;
	if (waited)
		model_stat_wait(m, t, lock, request, ts);
	if (rec->attempt == LOCK_TRY)
		model_spin_try(m, t, lock, site, (int)rec->result, ts);
	model_polled(m, t, lock, (rec->result & 0xffff) == EBUSY, ts);
	if (rec->result && rec->result != EOWNERDEAD) {
		refused(m, t, lock, rec, site);
		return;
	}
	model_series_end(t, lock);
	if (rec->result)
		lock_error(m, t, lock, &rec->head, "owner-dead", EOWNERDEAD, site);
	drop_ended(m, t, lock, rec->mode, ts);
	if (t->n_held) {
		if (take_again(m, t, lock, rec->mode, ts))
			return;
		if (!waited)
			model_edges(m, t, lock, (uint8_t)rec->mode, site, tried, ts, 1);
	}
	model_hold_begin(m, t,
		&(struct hold){.lock = lock,
			.request = waited ? request : STORE_NULL,
			.acquire = ts,
			.site = site,
			.stack = stack,
			.depth = 1,
			.mode = (uint8_t)rec->mode});
}

/* Threads that take a lock for a short time, or try in vain, again and again: what model_lock_acquire and model_lock_release do of each. */
void model_lock_fold(struct model *m, const struct rec_LOCK_FOLD *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	struct holds h = {.first = model_time(m, rec->first),
		.last = model_time(m, rec->head.ts),
		.held = (int64_t)rec->held,
		.longest = (int64_t)rec->longest,
		.count = (int64_t)rec->count,
		.mode = (uint8_t)rec->mode};

	if (!check_lock(rec->kind, rec->mode) || t->proc->retired || rec->type >= LOCK_TYPE_END ||
		rec->first > rec->head.ts || rec->head.ts - rec->first > MAX_FOLD_NS ||
		rec->held > rec->head.ts - rec->first || rec->longest > rec->held || !rec->count ||
		rec->count > MAX_FOLD) {
		model_skip(m);
		return;
	}
	h.lock = model_lock_at(m, t->proc, rec->addr, (int)rec->kind, (unsigned)rec->type);
	h.site = place_of(m, t, rec->site, &h.stack);
	h.release_site = model_site(m, t->proc, rec->release_site, true);
	(void)end_request(m, t, h.lock, h.first);
	if (rec->attempt == LOCK_TRY)
		model_spin_tries(m, t, h.lock, h.site, (int)rec->result, h.first, h.last, h.count);
	if (rec->result)
		return;
	drop_ended(m, t, h.lock, rec->mode, h.first);
	/* Taken recursively each time: it was held all along. */
	if (model_find_hold(t, h.lock)) {
		if (take_again(m, t, h.lock, rec->mode, h.first)) {
			(void)model_hold_end(m, t, h.lock, h.first, h.release_site);
			return;
		}
	}
	if (t->n_held)
		model_edges(
			m, t, h.lock, h.mode, h.site, rec->attempt != LOCK_PLAIN, h.last, h.count);
	model_hold_several(m, t, &h);
}

/* The thread of a process that has a lock, whoever it is. */
static struct thread *any_holder(const struct thread *t, const struct lock *lock)
{
	if (lock->owner)
		return lock->owner;
	for (struct thread *other = t->proc->threads; other; other = other->peer) {
		if (model_find_hold(other, lock))
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

	if (!check_lock(rec->kind, LOCK_MODE_X) || t->proc->retired) {
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
