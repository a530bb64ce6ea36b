/* stuck_holder.c - who of a set has the locks for which it waits. */
/* SPDX-License-Identifier: MIT */
#include "verdict/text/stuck.h"

#include "schema/query.h"

bool stuck_wants_copy(const struct state *st, const struct stuck_set *s)
{
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_thread *t = &st->threads[s->members[i]];
		const struct state_lock *l = state_lock_of(st, &t->wait);

		for (uint32_t h = l ? l->first_holder : STATE_NONE; h != STATE_NONE;
			h = st->holders[h].next)
			if (providers_is_copy(st, l, st->holders[h].thread_id))
				return true;
		if (l && t->wait.reason == WAIT_SEM && providers_sem_is_lock(l, t) &&
			providers_is_copy(st, l, l->last_taker_id))
			return true;
	}
	return false;
}

bool stuck_has_holder(const struct state *st, const struct stuck_set *s)
{
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_thread *t = &st->threads[s->members[i]];
		const struct state_lock *l = state_lock_of(st, &t->wait);

		if (l && (l->first_holder != STATE_NONE || t->wait.target_thread_id ||
				 (t->wait.reason == WAIT_SEM && providers_sem_is_lock(l, t))))
			return true;
	}
	return false;
}

bool stuck_is_upgrade(const struct state *st, const struct stuck_set *s)
{
	int64_t lock_id = st->threads[s->members[0]].wait.lock_id;
	bool any = false;

	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_thread *t = &st->threads[s->members[i]];
		const struct state_lock *l = state_lock_of(st, &t->wait);

		if (!l || l->kind != LOCK_RWLOCK || t->wait.shared || t->wait.lock_id != lock_id)
			return false;
		for (uint32_t h = l->first_holder; h != STATE_NONE; h = st->holders[h].next)
			any |= st->holders[h].shared && st->holders[h].thread_id == t->id;
	}
	return any;
}

bool stuck_wants_own(const struct state *st, const struct stuck_set *s)
{
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_thread *t = &st->threads[s->members[i]];
		const struct state_lock *l = state_lock_of(st, &t->wait);

		if (l && t->wait.reason == WAIT_SEM && providers_sem_is_own(l, t))
			return true;
	}
	return false;
}

/* The process of a thread, also of one that has ended. */
static int64_t process_of(const struct state *st, int64_t thread_id)
{
	return query_number(
		st->db, "SELECT process_id FROM thread WHERE id = ?1", thread_id, 0, st->why);
}

/* Says whether a process has a lock that is waited for. */
static bool has_lock(const struct state *st, int64_t process_id, const struct state_thread *waiter)
{
	const struct state_lock *l = state_lock_of(st, &waiter->wait);

	if (!l)
		return false;
	for (uint32_t h = l->first_holder; h != STATE_NONE; h = st->holders[h].next)
		if (st->holders[h].process_id == process_id)
			return true;
	if (waiter->wait.reason == WAIT_SEM && providers_sem_is_lock(l, waiter))
		return process_of(st, l->last_taker_id) == process_id;
	return waiter->wait.target_thread_id &&
	       process_of(st, waiter->wait.target_thread_id) == process_id;
}

bool stuck_is_held_by_parent(const struct state *st, const struct stuck_set *s)
{
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_thread *t = &st->threads[s->members[i]];

		for (size_t k = 0; t->wait.reason == WAIT_CHILD && k < s->n_members; k++)
			if (has_lock(st, st->processes[t->process].id, &st->threads[s->members[k]]))
				return true;
	}
	return false;
}
