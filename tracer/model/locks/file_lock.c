/* file_lock.c - locks on files: flock, POSIX and open-file-description locks. */
/* SPDX-License-Identifier: MIT */
/*
 * A file lock is one range of a file of one class; ranges that do not overlap
 * have nothing to do with each other. It is held by an open file description
 * (flock, OFD), hence by every process that shares it, or by a process (POSIX).
 */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/names.h"
#include "tracer/authority/authority.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct range {
	uint64_t begin, len; /* len 0: to the end */
};

static bool overlap(const struct lock *lock, struct range r)
{
	bool before = lock->len && lock->offset + lock->len <= r.begin;
	bool after = r.len && r.begin + r.len <= lock->offset;

	return !before && !after;
}

static uint64_t file_key(uint64_t class, uint64_t dev, uint64_t inode, struct range r)
{
	return hash_mix(hash_mix(dev, inode, 4 + class), r.begin, r.len);
}

static struct lock *file_lock(struct model *m, struct thread *t, uint64_t class, uint64_t dev,
	uint64_t inode, struct range r)
{
	uint64_t key = file_key(class, dev, inode, r);
	struct lock *lock = hash_get(&m->shared, key);

	if (lock)
		return lock;
	lock = model_lock_new(m, NULL, 0, LOCK_FILE, 0);
	lock->class = (uint8_t) class;
	lock->pshared = lock->outside = true;
	lock->from_birth = !t->proc->found;
	lock->dev = dev;
	lock->inode = inode;
	lock->offset = r.begin;
	lock->len = r.len;
	for (const struct lock *other = m->all_locks; other && !lock->name; other = other->next) {
		if (other->kind == LOCK_FILE && other->inode == inode && other->dev == dev)
			lock->name = xstrdup(other->name);
	}
	(void)hash_set(&m->shared, key, lock);
	return lock;
}

/* Says whether a hold is that of the owner, in the terms of its class: a process, or an open file description (0: not known). */
static bool same_owner(
	const struct hold *h, const struct proc *holder, const struct proc *p, uint64_t file)
{
	return h->lock->class == FLOCK_POSIX ? holder == p : file && h->file == file;
}

/* Says whether a hold and a new one of somebody else exclude each other. */
static bool conflict(const struct hold *h, uint64_t mode)
{
	return h->mode == LOCK_MODE_X || mode == LOCK_MODE_X;
}

/* What a call asks for. */
struct wanted {
	uint64_t dev, inode;
	uint64_t class;
	uint64_t file; /* its open file description, 0: not known */
	struct range range;
	uint8_t mode;
};

/*
 * Ends holds that overlap a range: those of an owner who unlocks it or takes
 * it again; and those of others that exclude the new one: they must have gone
 * unseen, by the close of a descriptor.
 */
static void release_range(
	struct model *m, struct thread *by, const struct wanted *w, int64_t ts, int64_t site)
{
	for (struct thread *t = m->all_threads; t; t = t->next) {
		for (size_t i = t->n_held; i > 0; i--) {
			struct hold *h = &t->held[i - 1];
			struct lock *lock = h->lock;
			bool own;

			if (lock->kind != LOCK_FILE || lock->class != w->class ||
				lock->inode != w->inode || lock->dev != w->dev ||
				!overlap(lock, w->range))
				continue;
			own = same_owner(h, t->proc, by->proc, w->file);
			if (own || (w->mode && conflict(h, w->mode)))
				(void)model_hold_end(m, t, lock, ts, own ? site : STORE_NULL);
		}
	}
}

/* flock gives up the lock that a description has before it looks for another mode (flock_lock_inode in fs/locks.c). */
static void drop_own_flock(struct model *m, struct thread *by, const struct wanted *w, int64_t ts)
{
	struct wanted own = *w;

	own.mode = LOCK_MODE_NONE;
	if (w->class == FLOCK_FLOCK)
		release_range(m, by, &own, ts, STORE_NULL);
}

/* The path of a file, if the descriptor of a living process still leads to it. */
static char *file_name(
	const struct model *m, uint32_t pid, uint64_t fd, uint64_t dev, uint64_t inode)
{
	_cleanup_close_ int held = authority_hold(m->config.authority, (pid_t)pid);
	_cleanup_free_ char *link = xasprintf("/proc/%u/fd/%lld", pid, (long long)(int32_t)fd);
	char path[4096];
	struct stat st;
	ssize_t n = held < 0 ? -1 : readlink(link, path, sizeof path - 1);

	if (n <= 0 || stat(link, &st) < 0 || st.st_ino != inode || st.st_dev != dev ||
		!authority_still(held, (pid_t)pid))
		return NULL;
	path[n] = '\0';
	return xstrdup(path);
}

/* A snapshot finds a description once in each process that shares it: the first one found has it, the others share it. */
static bool is_found_again(struct model *m, const struct rec_FILE_LOCK *rec, struct thread *by)
{
	if (!(rec->head.flags & REC_SNAP) || rec->class == FLOCK_POSIX)
		return false;
	for (const struct thread *t = m->all_threads; t; t = t->next) {
		for (size_t i = 0; i < t->n_held; i++) {
			const struct hold *h = &t->held[i];

			if (h->lock->kind != LOCK_FILE || h->file != rec->file ||
				h->lock->inode != rec->inode || h->lock->dev != rec->dev ||
				t->proc == by->proc)
				continue;
			model_lock_share(m, h->lock, by->proc, t->id, model_time(m, rec->head.ts));
			return true;
		}
	}
	return false;
}

/* Says whether a hold is one that the call replaces: POSIX and OFD locks are in each other's way also in one process. */
static bool is_replaced(const struct hold *h, const struct proc *holder, const struct proc *by,
	const struct wanted *w)
{
	return h->lock->class == w->class && same_owner(h, holder, by, w->file);
}

/* Finds a hold that a wanted range runs into. */
static struct lock *conflicting(
	const struct model *m, const struct thread *by, const struct wanted *w)
{
	for (const struct thread *t = m->all_threads; t; t = t->next) {
		for (size_t i = 0; i < t->n_held; i++) {
			const struct hold *h = &t->held[i];
			const struct lock *lock = h->lock;

			if (lock->kind == LOCK_FILE && lock->inode == w->inode &&
				lock->dev == w->dev && overlap(lock, w->range) &&
				(lock->class == FLOCK_FLOCK) == (w->class == FLOCK_FLOCK) &&
				conflict(h, w->mode) && !is_replaced(h, t->proc, by->proc, w))
				return h->lock;
		}
	}
	return NULL;
}

/* The lock that a call must wait for: one in its way, or that of the range itself. */
static struct lock *in_the_way(struct model *m, struct thread *t, const struct wanted *w,
	const struct rec_head *head, uint64_t fd)
{
	struct lock *lock = conflicting(m, t, w);

	if (!lock)
		lock = file_lock(m, t, w->class, w->dev, w->inode, w->range);
	/* Its holder may have been gone before its name could be found out, or be outside the trace. */
	if (!lock->name) {
		lock->name = file_name(m, head->pid, fd, w->dev, w->inode);
		model_lock_touch(m, lock);
	}
	model_lock_user(m, lock, t->proc, model_time(m, head->ts));
	return lock;
}

/* A call for a file lock has failed. */
static void refused(struct model *m, struct thread *t, const struct rec_FILE_LOCK *rec,
	const struct wanted *w, int64_t site)
{
	int64_t ts = model_time(m, rec->head.ts);

	if (rec->attempt == LOCK_TRY && (rec->result == EAGAIN || rec->result == EACCES))
		/* Who is told no may ask again. */
		model_polled(m, t, in_the_way(m, t, w, &rec->head, rec->fd), true, ts);
	if (rec->mode != LOCK_MODE_NONE)
		drop_own_flock(m, t, w, ts);
	if (rec->result == EDEADLK) {
		const struct lock *lock = file_lock(m, t, w->class, w->dev, w->inode, w->range);

		store_put(m->store, STORE_LOCK_ERROR,
			&(struct row_lock_error){.lock_id = lock->id,
				.thread_id = t->id,
				.ts_ns = ts,
				.kind = "deadlock",
				.errno_ = EDEADLK,
				.owner_id = STORE_NULL,
				.site_id = site});
	}
}

/* A thread has a range now. */
static void taken(struct model *m, struct thread *t, const struct rec_FILE_LOCK *rec,
	const struct wanted *w, int64_t site)
{
	int64_t ts = model_time(m, rec->head.ts), start = model_time(m, rec->start);
	struct lock *lock = file_lock(m, t, w->class, w->dev, w->inode, w->range);

	if (!lock->name)
		lock->name = file_name(m, rec->head.pid, rec->fd, rec->dev, rec->inode);
	model_polled(m, t, lock, false, ts);
	model_lock_user(m, lock, t->proc, ts);
	if (t->n_held)
		model_edges(m, t, lock, w->mode, site, rec->attempt != LOCK_PLAIN, ts, 1);
	model_hold_begin(m, t,
		&(struct hold){.lock = lock,
			.request = rec->start && start < ts && t->waited == lock->id ? start
										     : STORE_NULL,
			.acquire = ts,
			.site = site,
			.file = rec->file,
			.depth = 1,
			.mode = w->mode});
}

void model_file_lock(struct model *m, const struct rec_FILE_LOCK *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	int64_t site = model_site(m, t->proc, rec->site, true);
	struct wanted w = {.dev = rec->dev,
		.inode = rec->inode,
		.class = rec->class,
		.file = rec->file,
		.range = {rec->begin, rec->len},
		.mode = (uint8_t)rec->mode};

	if (!names_file_lock((int)rec->class) || rec->class > FLOCK_OFD ||
		rec->mode > LOCK_MODE_S || t->proc->retired || !rec->dev) {
		model_skip(m);
		return;
	}
	if (rec->class == FLOCK_FLOCK)
		w.range = (struct range){0, 0};
	if (rec->result) {
		refused(m, t, rec, &w, site);
		return;
	}
	if (is_found_again(m, rec, t))
		return;
	release_range(m, t, &w, model_time(m, rec->head.ts), site);
	if (rec->mode != LOCK_MODE_NONE)
		taken(m, t, rec, &w, site);
}

/* Returns false if the source could not read the structure: a file has many locks then that it may wait for. */
static bool read_wanted(const struct rec_WAIT_BEGIN *rec, struct wanted *ret)
{
	struct flock fl;
	uint64_t begin, len;

	if (rec->syscall == __NR_flock) {
		*ret = (struct wanted){.dev = rec->dev,
			.inode = rec->inode,
			.class = FLOCK_FLOCK,
			.file = rec->peer,
			.mode = rec->arg1 & LOCK_SH ? LOCK_MODE_S : LOCK_MODE_X};
		return true;
	}
	if (rec->words_valid < sizeof fl || rec->head.flags & REC_COMPAT)
		return false;
	memcpy(&fl, rec->words, sizeof fl);
	begin = (uint64_t)fl.l_start + (fl.l_whence == SEEK_SET ? 0 : rec->offset);
	len = (uint64_t)fl.l_len;
	if (fl.l_len < 0) {
		begin += len;
		len = 0 - len;
	}
	*ret = (struct wanted){.dev = rec->dev,
		.inode = rec->inode,
		.class = (uint32_t)rec->arg1 == F_OFD_SETLKW ? FLOCK_OFD : FLOCK_POSIX,
		.file = rec->peer,
		.range = {begin, len},
		.mode = fl.l_type == F_RDLCK ? LOCK_MODE_S : LOCK_MODE_X};
	return true;
}

/* Says whether the waiter has the same range itself, shared. */
static bool has_it_shared(const struct model *m, const struct thread *by, const struct lock *lock,
	const struct wanted *w)
{
	for (const struct thread *t = m->all_threads; t; t = t->next)
		for (size_t i = 0; i < t->n_held; i++)
			if (t->held[i].lock == lock && t->held[i].mode == LOCK_MODE_S &&
				is_replaced(&t->held[i], t->proc, by->proc, w))
				return true;
	return false;
}

void model_file_lock_wait(struct model *m, struct thread *t, const struct rec_WAIT_BEGIN *rec)
{
	struct wanted w = {.mode = LOCK_MODE_X};
	struct lock *lock = NULL;

	if (rec->dev && read_wanted(rec, &w)) {
		drop_own_flock(m, t, &w, model_time(m, rec->head.ts));
		lock = in_the_way(m, t, &w, &rec->head, rec->arg0);
		model_file_locks_passed(m, lock, model_time(m, rec->head.ts));
		if (w.mode == LOCK_MODE_X && has_it_shared(m, t, lock, &w))
			w.mode = LOCK_MODE_U;
	}
	model_wait_on_lock(m, t, lock, WAIT_FILE_LOCK, w.mode);
}
