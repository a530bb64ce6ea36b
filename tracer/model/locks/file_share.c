/* file_share.c - who shares the description that holds a file lock, over fork, exec, messages and exit. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/private.h"

#include <dirent.h>
#include <sys/stat.h>

#include "base/mem.h"

/* Says whether a line of a descriptor's fdinfo tells of a lock of that class that this process (NULL: any) has taken. */
static bool is_lock_line(const char *line, unsigned class, const struct proc *taker)
{
	const char *word = class == FLOCK_FLOCK ? " FLOCK " : " OFDLCK ";
	const char *at = strncmp(line, "lock:", 5) ? NULL : strstr(line, word);
	long pid = -1;

	if (!at)
		return false;
	/* Of a taker that is gone another namespace is told no number (locks_translate_pid in fs/locks.c). */
	return !taker || sscanf(at + strlen(word), "%*s %*s %ld", &pid) != 1 || pid <= 0 ||
	       pid == (long)taker->pid;
}

/* Says whether what the kernel tells of a descriptor lists such a lock (show_fd_locks in fs/locks.c). */
static bool lists_lock(
	const struct proc *p, const char *fd, unsigned class, const struct proc *taker)
{
	_cleanup_free_ char *path = xasprintf("/proc/%u/fdinfo/%s", p->pid, fd);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[256];

	while (f && fgets(line, sizeof line, f))
		if (is_lock_line(line, class, taker))
			return true;
	return false;
}

enum descriptor { DESCRIPTOR_NONE, DESCRIPTOR_FOUND, DESCRIPTOR_UNREADABLE };

/*
 * Looks among a process's descriptors for one of a lock's file; locked: whose open file description holds the lock,
 * which taker (NULL: any) has taken.
 */
static enum descriptor find_descriptor(
	const struct proc *p, const struct lock *lock, bool locked, const struct proc *taker)
{
	_cleanup_free_ char *path = xasprintf("/proc/%u/fd", p->pid);
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool found = false;
	struct stat st;

	if (!dir)
		return DESCRIPTOR_UNREADABLE;
	while (!found && (entry = readdir(dir)))
		found = fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
			st.st_ino == lock->inode && st.st_dev == lock->dev &&
			(!locked || lists_lock(p, entry->d_name, lock->class, taker));
	(void)closedir(dir);
	return found ? DESCRIPTOR_FOUND : DESCRIPTOR_NONE;
}

/* Says whether a process has a descriptor of a lock's file; true also if that cannot be found out. */
static bool has_file(const struct proc *p, const struct lock *lock)
{
	return find_descriptor(p, lock, false, NULL) != DESCRIPTOR_NONE;
}

/* Says whether a process has the open file description that holds a lock which another has taken. */
static bool has_description(const struct proc *p, const struct lock *lock, const struct proc *taker)
{
	return find_descriptor(p, lock, true, taker) == DESCRIPTOR_FOUND;
}

static bool is_alive(const struct proc *p)
{
	return !p->ended && p->main && p->main->end == STORE_NULL;
}

/* The nearest process above that is still there; NULL if that is not in the trace. Records may claim that two are each other's parents. */
static const struct proc *ancestor(const struct model *m, const struct proc *p)
{
	enum { GENERATIONS = 64 };
	int64_t id = p->parent_id;

	for (int i = 0; id != STORE_NULL && i < GENERATIONS; i++) {
		const struct proc *at = m->all_procs;

		while (at && at->id != id)
			at = at->next;
		if (!at || is_alive(at))
			return at;
		id = at->parent_id;
	}
	return NULL;
}

/* Says whether one process descends from another, or is it. */
static bool is_below(const struct model *m, const struct proc *p, const struct proc *above)
{
	enum { GENERATIONS = 64 };

	for (int i = 0; p && i < GENERATIONS && p != above; i++)
		p = ancestor(m, p);
	return p == above;
}

/* The process that the kernel names as the one that took a lock; NULL: another than its holder, who is not known. */
static const struct proc *taker_of(const struct thread *holder, const struct hold *h)
{
	return h->handed ? NULL : holder->proc;
}

/*
 * A process that locks a descriptor that it has inherited, as flock(1) does for a shell, leaves the lock to those it
 * came from, and to whom those have passed it on; they may have closed it themselves meanwhile.
 */
static void share_with_givers(
	struct model *m, const struct thread *from, const struct hold *h, int64_t ts)
{
	const struct proc *above = ancestor(m, from->proc);

	for (struct proc *p = m->all_procs; above && p; p = p->next)
		if (p != from->proc && is_alive(p) && is_below(m, p, above) &&
			has_description(p, h->lock, taker_of(from, h)))
			model_lock_share(m, h->lock, p, from->id, ts);
}

/* A flock is held on by those that share its description: one of them takes over. */
static void hand_over(struct model *m, struct thread *from, struct hold *h, int64_t ts)
{
	struct hold hold = *h;
	struct thread *heir = NULL;

	model_lock_leave(m, h->lock, from->proc, ts);
	share_with_givers(m, from, h, ts);
	for (struct proc *p = m->all_procs; p && !heir; p = p->next) {
		if (is_alive(p) && p != from->proc && model_lock_is_shared(h->lock, p, from->id))
			heir = p->main;
	}
	if (heir)
		model_lock_share_end(m, h->lock, from->id, heir, ts);
	(void)model_hold_end(m, from, h->lock, ts, STORE_NULL);
	if (!heir)
		return;
	hold.row = 0;
	hold.handed = true;
	hold.acquire = ts;
	hold.request = STORE_NULL;
	model_hold_begin(m, heir, &hold);
}

/* Says whether the process of a lock's holder has closed the description through which it has that. */
static bool has_closed(const struct thread *holder, const struct hold *h)
{
	return is_alive(holder->proc) &&
	       find_descriptor(holder->proc, h->lock, true, taker_of(holder, h)) == DESCRIPTOR_NONE;
}

/* Says whether the process of a lock's holder has closed that description, and another one has it still. */
static bool is_passed_on(const struct model *m, const struct thread *from, const struct hold *h)
{
	if (!has_closed(from, h))
		return false;
	for (const struct proc *p = m->all_procs; p; p = p->next)
		if (p != from->proc && is_alive(p) && model_lock_is_shared(h->lock, p, from->id) &&
			has_description(p, h->lock, taker_of(from, h)))
			return true;
	return false;
}

void model_file_locks_passed(struct model *m, const struct lock *lock, int64_t ts)
{
	for (struct thread *t = m->all_threads; lock->class != FLOCK_POSIX && t; t = t->next)
		for (size_t i = t->n_held; i > 0; i--)
			if (t->held[i - 1].lock == lock && is_passed_on(m, t, &t->held[i - 1]))
				hand_over(m, t, &t->held[i - 1], ts);
}

/* Says whether somebody waits for a lock that an open file description holds. */
static bool is_wanted(const struct model *m, const struct lock *lock)
{
	if (lock->kind != LOCK_FILE || lock->class == FLOCK_POSIX)
		return false;
	for (const struct thread *t = m->all_threads; t; t = t->next)
		if (t->wait.lock == lock && t->wait.reason == WAIT_FILE_LOCK)
			return true;
	return false;
}

/*
 * Says whether a process has a lock of this file by itself, which is then what its descriptors tell of: of those that a
 * description holds (F_OFD_SETLK) the kernel names no taker.
 */
static bool has_own(const struct proc *p, const struct lock *lock)
{
	for (const struct thread *t = p->threads; t; t = t->peer) {
		for (size_t i = 0; i < t->n_held; i++) {
			const struct lock *own = t->held[i].lock;

			if (own->kind == LOCK_FILE && own->class == lock->class &&
				own->inode == lock->inode && own->dev == lock->dev)
				return true;
		}
	}
	return false;
}

/* Finds who was given the description through which a thread has a lock other than by fork. */
static void find_given(
	struct model *m, const struct thread *holder, const struct hold *h, int64_t ts)
{
	for (struct proc *p = m->all_procs; p; p = p->next)
		if (p != holder->proc && is_alive(p) &&
			!model_lock_is_shared(h->lock, p, holder->id) && !has_own(p, h->lock) &&
			has_description(p, h->lock, taker_of(holder, h)))
			model_lock_share(m, h->lock, p, holder->id, ts);
}

void model_file_locks_examine(struct model *m, uint64_t ts)
{
	for (struct thread *t = m->all_threads; t; t = t->next) {
		for (size_t i = t->n_held; i > 0; i--) {
			struct hold *h = &t->held[i - 1];

			if (!is_wanted(m, h->lock))
				continue;
			find_given(m, t, h, model_time(m, ts));
			if (has_closed(t, h))
				hand_over(m, t, h, model_time(m, ts));
		}
	}
}

void model_file_locks_fork(
	struct model *m, struct proc *child, const struct proc *parent, int64_t ts)
{
	for (const struct thread *t = parent->threads; t; t = t->peer) {
		for (size_t i = 0; i < t->n_held; i++) {
			struct lock *lock = t->held[i].lock;

			if (lock->kind == LOCK_FILE && lock->class != FLOCK_POSIX)
				model_lock_share(m, lock, child, t->id, ts);
		}
	}
	if (!parent->uses_files)
		return;
	for (const struct thread *t = m->all_threads; t; t = t->next) {
		for (size_t i = 0; i < t->n_held; i++)
			if (model_lock_is_shared(t->held[i].lock, parent, t->id))
				model_lock_share(m, t->held[i].lock, child, t->id, ts);
	}
}

/* The locks that a thread has which exec ends go over to the one that is left, as the process goes on. */
static void move_locks(struct model *m, struct thread *from, struct thread *to, int64_t ts)
{
	for (size_t i = from->n_held; i > 0; i--) {
		struct hold hold = from->held[i - 1];

		if (hold.lock->kind != LOCK_FILE)
			continue;
		hold.row = 0;
		hold.acquire = ts;
		hold.request = STORE_NULL;
		model_hold_begin(m, to, &hold);
		model_lock_share_end(m, hold.lock, from->id, to, ts);
		(void)model_hold_end(m, from, hold.lock, ts, STORE_NULL);
	}
}

void model_file_locks_keep(struct model *m, struct thread *caller, int64_t ts)
{
	for (struct thread *t = caller->proc->threads; t; t = t->peer)
		if (t != caller)
			move_locks(m, t, caller, ts);
}

/* Exec closes what is close-on-exec, and with that the locks go which a process has through it. */
static void drop_closed(struct model *m, struct thread *t, int64_t ts)
{
	for (size_t i = t->n_held; i > 0; i--) {
		struct hold *h = &t->held[i - 1];

		if (h->lock->kind != LOCK_FILE)
			continue;
		if (h->lock->class != FLOCK_POSIX && has_closed(t, h))
			hand_over(m, t, h, ts);
		else if (h->lock->class == FLOCK_POSIX && !has_file(t->proc, h->lock))
			(void)model_hold_end(m, t, h->lock, ts, STORE_NULL);
	}
}

void model_file_locks_exec(struct model *m, struct thread *caller, int64_t ts)
{
	struct proc *p = caller->proc;

	drop_closed(m, caller, ts);
	for (const struct thread *t = m->all_threads; p->uses_files && t; t = t->next) {
		for (size_t i = 0; i < t->n_held; i++) {
			struct lock *lock = t->held[i].lock;

			if (lock->kind == LOCK_FILE && model_lock_is_shared(lock, p, t->id) &&
				!has_file(p, lock))
				model_lock_unshare(m, lock, p, ts);
		}
	}
}

void model_file_users_exit(struct model *m, const struct proc *p, int64_t ts)
{
	for (struct lock *lock = m->all_locks; p->uses_files && lock; lock = lock->next) {
		if (lock->kind == LOCK_FILE)
			model_lock_leave(m, lock, p, ts);
	}
}

void model_file_locks_exit(struct model *m, struct thread *t, int64_t ts)
{
	for (size_t i = t->n_held; i > 0; i--) {
		struct hold *h = &t->held[i - 1];

		if (h->lock->kind != LOCK_FILE)
			continue;
		if (h->lock->class == FLOCK_POSIX) {
			model_lock_leave(m, h->lock, t->proc, ts);
			(void)model_hold_end(m, t, h->lock, ts, STORE_NULL);
		} else {
			hand_over(m, t, h, ts);
		}
	}
}
