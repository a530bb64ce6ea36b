/* user.c - which processes can reach a shared lock, or share the description that holds a file lock. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/private.h"

#include "base/mem.h"

/* A process that can reach a shared lock; or shares the description through which taker_id has a file lock. */
struct user {
	struct user *next;
	int64_t process_id, start, taker_id;
};

void model_lock_share(
	struct model *m, struct lock *lock, struct proc *p, int64_t taker_id, int64_t ts)
{
	struct user *user;

	for (user = lock->user_list; user; user = user->next) {
		if (user->process_id == p->id && user->taker_id == taker_id)
			return;
	}
	p->uses_files |= lock->kind == LOCK_FILE;
	user = xmalloc(sizeof *user);
	*user = (struct user){lock->user_list, p->id, ts, taker_id};
	lock->user_list = user;
	store_put(m->store, STORE_LOCK_USER,
		&(struct row_lock_user){lock->id, p->id, ts, STORE_NULL, taker_id});
}

void model_lock_user(struct model *m, struct lock *lock, struct proc *p, int64_t ts)
{
	model_lock_share(m, lock, p, 0, ts);
}

/* Takes the first of the list off it, and writes when that was. */
static void drop_user(struct model *m, struct lock *lock, struct user **at, int64_t ts)
{
	struct user *user = *at;

	store_replace(m->store, STORE_LOCK_USER,
		&(struct row_lock_user){
			lock->id, user->process_id, user->start, ts, user->taker_id});
	*at = user->next;
	free(user);
}

void model_lock_leave(struct model *m, struct lock *lock, const struct proc *p, int64_t ts)
{
	for (struct user **at = &lock->user_list; *at;) {
		if ((*at)->process_id == p->id)
			drop_user(m, lock, at, ts);
		else
			at = &(*at)->next;
	}
}

void model_lock_unshare(struct model *m, struct lock *lock, const struct proc *p, int64_t ts)
{
	for (struct user **at = &lock->user_list; *at;) {
		if ((*at)->taker_id && (*at)->process_id == p->id)
			drop_user(m, lock, at, ts);
		else
			at = &(*at)->next;
	}
}

void model_lock_share_end(
	struct model *m, struct lock *lock, int64_t taker_id, struct thread *heir, int64_t ts)
{
	for (struct user **at = &lock->user_list; *at;) {
		struct user *user = *at;

		if (user->taker_id != taker_id) {
			at = &user->next;
			continue;
		}
		if (heir && user->process_id != heir->proc->id) {
			store_replace(m->store, STORE_LOCK_USER,
				&(struct row_lock_user){
					lock->id, user->process_id, user->start, ts, taker_id});
			user->taker_id = heir->id;
			user->start = ts;
			store_put(m->store, STORE_LOCK_USER,
				&(struct row_lock_user){
					lock->id, user->process_id, ts, STORE_NULL, heir->id});
			at = &user->next;
			continue;
		}
		drop_user(m, lock, at, ts);
	}
}

bool model_lock_is_shared(const struct lock *lock, const struct proc *p, int64_t taker_id)
{
	for (const struct user *user = lock->user_list; user; user = user->next) {
		if (user->process_id == p->id && user->taker_id == taker_id)
			return true;
	}
	return false;
}

bool model_lock_next_share(
	const struct lock *lock, int64_t taker_id, size_t *pos, int64_t *ret_process)
{
	size_t i = 0;

	for (const struct user *user = lock->user_list; user; user = user->next) {
		if (user->taker_id != taker_id || i++ < *pos)
			continue;
		++*pos;
		*ret_process = user->process_id;
		return true;
	}
	return false;
}

void model_lock_users_free(struct lock *lock)
{
	while (lock->user_list) {
		struct user *user = lock->user_list;

		lock->user_list = user->next;
		free(user);
	}
}
