/* reach.c - what becomes of locks at a fork, and when memory is shared or gone. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/private.h"

#include "base/mem.h"

/* The copy in a child of a lock that is held at the moment of the fork. */
static struct lock *copy_lock(struct model *m, struct proc *child, const struct lock *from)
{
	struct lock *lock = hash_get(&child->locks, (uint64_t)from->address);

	if (lock)
		return lock;
	lock = model_lock_private(m, child, (uint64_t)from->address, from->kind, from->type);
	lock->origin_id = from->id;
	lock->initial = from->initial;
	lock->init_site = from->init_site;
	return lock;
}

static void copy_holds(
	struct model *m, struct proc *child, const struct thread *t, bool is_forker, int64_t ts)
{
	for (size_t i = 0; i < t->n_held; i++) {
		struct hold hold = t->held[i];

		if (hold.lock->pshared || hold.lock->dead || hold.lock->kind == LOCK_FILE)
			continue;
		hold.lock = copy_lock(m, child, hold.lock);
		hold.request = STORE_NULL;
		hold.acquire = ts;
		hold.row = 0;
		if (is_forker && child->main)
			model_hold_begin(m, child->main, &hold);
		else
			model_abandoned_add(m, &hold, t->id, child->id)->forked = true;
	}
}

static void inherit_shared(
	struct model *m, struct proc *child, const struct proc *parent, int64_t ts)
{
	struct hash_slot *slot;

	for (size_t pos = 0; (slot = hash_next(&parent->locks, &pos));) {
		struct lock *lock = slot->value;

		if (!lock->pshared || hash_get(&child->locks, slot->key))
			continue;
		(void)hash_set(&child->locks, slot->key, lock);
		child->n_shared++;
		model_lock_user(m, lock, child, ts);
	}
}

/* Says whether somebody has a semaphore as one has a lock. */
static bool is_taken(const struct lock *l)
{
	return l->kind == LOCK_SEM && !l->pshared && !l->dead && l->initial == 1 &&
	       l->stat.value == 0 && !l->stat.foreign_posts && l->stat.last_taker != STORE_NULL;
}

/* Semaphores that are used as locks are copied as they are; only threads beside the one that forks leave them taken. */
static void copy_sems(
	struct model *m, struct proc *child, const struct proc *parent, const struct thread *forker)
{
	struct hash_slot *slot;

	if (!parent->threads || !parent->threads->peer)
		return;
	for (size_t pos = 0; (slot = hash_next(&parent->locks, &pos));) {
		const struct lock *from = slot->value;
		struct lock *lock;

		if (!is_taken(from) || from->stat.last_taker == forker->id ||
			from->address == STORE_NULL)
			continue;
		lock = copy_lock(m, child, from);
		lock->from_birth = from->from_birth;
		lock->stat.value = 0;
		lock->stat.cycles = from->stat.cycles;
		lock->stat.last_taker = from->stat.last_taker;
		model_lock_touch(m, lock);
		model_stat_touch(m, lock);
	}
}

void model_locks_fork(
	struct model *m, struct proc *child, struct proc *parent, struct thread *forker, int64_t ts)
{
	struct abandoned *last = m->abandoned;

	if (parent->n_shared)
		inherit_shared(m, child, parent, ts);
	for (const struct thread *t = parent->threads; t; t = t->peer)
		copy_holds(m, child, t, t == forker, ts);
	if (forker->proc != parent) /* it uses the memory of another process */
		copy_holds(m, child, forker, true, ts);
	copy_sems(m, child, parent, forker);
	model_file_locks_fork(m, child, forker->proc, ts);
	/* What threads that have ended left taken is taken in the child too. */
	for (struct abandoned *a = last; a; a = a->next) {
		struct hold hold = a->hold;

		if (hold.lock->proc != parent || hold.lock->pshared)
			continue;
		hold.lock = copy_lock(m, child, hold.lock);
		hold.row = 0;
		hold.acquire = ts;
		model_abandoned_add(m, &hold, a->thread_id, child->id)->forked = true;
	}
}

void model_locks_forget(struct model *m, struct proc *p, int64_t ts)
{
	struct hash_slot *slot;

	if (p->locks.len)
		model_abandoned_forget(m, p);
	for (size_t pos = 0; (slot = hash_next(&p->locks, &pos));) {
		struct lock *lock = slot->value;

		if (lock->pshared)
			model_lock_leave(m, lock, p, ts);
		else
			model_lock_kill(m, lock);
	}
	hash_done(&p->locks);
	p->n_shared = 0;
}

void model_shared_map(struct model *m, const struct rec_SHARED_MAP *rec)
{
	enum { TRACED, OUTSIDE, NOBODY };
	struct proc *p = rec->outside == TRACED ? model_thread(m, &rec->head)->proc : NULL;

	for (struct lock *lock = m->all_locks; lock; lock = lock->next) {
		if (!lock->pshared || lock->inode != rec->inode || lock->dev != rec->dev ||
			lock->kind == LOCK_FILE)
			continue;
		lock->mappers_ns = model_time(m, rec->head.ts);
		if (p)
			model_lock_user(m, lock, p, model_time(m, rec->head.ts));
		else
			lock->outside = rec->outside != NOBODY;
		model_lock_touch(m, lock);
	}
}
