/* lock.h - what the model's files share: locks of all kinds, who can reach them, who has them, in which order. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_MODEL_LOCK_H
#define TRACER_MODEL_LOCK_H

#include "tracer/model/private.h"

/* Returns the object at an address of a process, made if it is not known. kind 0: any. */
struct lock *model_lock_at(struct model *m, struct proc *p, uint64_t addr, int kind, unsigned type);
/* Returns the object at an address, or NULL. */
struct lock *model_find_lock(const struct proc *p, uint64_t addr);
/* Returns the shared object that is mapped from there, made if it is not known. */
struct lock *model_lock_shared(
	struct model *m, struct proc *p, uint64_t dev, uint64_t inode, uint64_t offset, int kind);
/* A hold, wait or call lets go of a lock. */
void model_lock_unref(struct model *m, struct lock *lock);
/* A thread was blocked for a lock. */
void model_stat_waited(
	struct model *m, struct thread *t, struct lock *lock, int64_t start, int64_t end);
/* Marks that the row of a lock is out of date. */
void model_lock_touch(struct model *m, struct lock *lock);
/* A process can reach a shared lock. */
void model_lock_user(struct model *m, struct lock *lock, struct proc *p, int64_t ts);
/* A process shares the open file description through which a thread has a file lock. */
void model_lock_share(
	struct model *m, struct lock *lock, struct proc *p, int64_t taker_id, int64_t ts);
/* It does not any more. */
void model_lock_unshare(struct model *m, struct lock *lock, const struct proc *p, int64_t ts);
/* The taker has the lock no more: nobody does, or those who shared it do so with heir. */
void model_lock_share_end(
	struct model *m, struct lock *lock, int64_t taker_id, struct thread *heir, int64_t ts);
/* Says whether a process shares the description of a taker. */
bool model_lock_is_shared(const struct lock *lock, const struct proc *p, int64_t taker_id);
/* Yields those who share a taker's description, *pos beginning with 0; false: no more. */
bool model_lock_next_share(
	const struct lock *lock, int64_t taker_id, size_t *pos, int64_t *ret_process);

/* The memory of a lock is gone or is another object's: it is freed when nothing points to it. */
void model_lock_kill(struct model *m, struct lock *lock);
/* A lock of a process that is found under an address. */
struct lock *model_lock_private(
	struct model *m, struct proc *vm, uint64_t addr, int kind, unsigned type);
/* Frees the list of those who can reach a lock. */
void model_lock_users_free(struct lock *lock);
/* Makes a lock; p NULL: shared. */
struct lock *model_lock_new(
	struct model *m, struct proc *p, uint64_t addr, int kind, unsigned type);
void model_lock_leave(struct model *m, struct lock *lock, const struct proc *p, int64_t ts);
/*
 * The wait of a thread is over. Where nobody tells of releases: the owner of a
 * mutex would have woken the only thread that is blocked on it; if another did,
 * it released what it had not taken, and that is counted.
 */
void model_stat_foreign(struct model *m, struct thread *t, const struct thread *waker, int64_t ts);
/* Marks that the sums of a lock are out of date. */
void model_stat_touch(struct model *m, struct lock *lock);
void model_stat_write(struct model *m, struct lock *lock);

/* The child of a fork has copies of its parent's locks. */
void model_locks_fork(struct model *m, struct proc *child, struct proc *parent,
	struct thread *forker, int64_t ts);
/* The memory of a process is gone (exec or exit): so are its private locks. */
void model_locks_forget(struct model *m, struct proc *p, int64_t ts);
/* Children share the description of a flock; it goes with the last process that does. */
void model_file_locks_fork(
	struct model *m, struct proc *child, const struct proc *parent, int64_t ts);
void model_file_locks_exit(struct model *m, struct thread *t, int64_t ts);
/* A process execs: it shares no longer what was closed by that. */
void model_file_locks_exec(struct model *m, struct proc *p, int64_t ts);
void model_file_users_exit(struct model *m, const struct proc *p, int64_t ts);
uint8_t model_file_lock_mode(const struct rec_WAIT_BEGIN *rec);
struct lock *model_file_lock_wanted(
	struct model *m, struct thread *t, const struct rec_WAIT_BEGIN *rec);
void model_lock_done(struct model *m);

/* Writes the row of a lock; frees a lock that nothing points to. */
void model_lock_write(struct model *m, struct lock *lock);
void model_lock_free(struct lock *lock);
/* A shared object that was destroyed is found no more under what it is mapped from. */
void model_lock_unlist(struct model *m, const struct lock *lock);
/* Counts a wait for a lock. */
void model_stat_wait(
	struct model *m, struct thread *t, struct lock *lock, int64_t start, int64_t end);

/* ---- Holds ---- */

/* A thread has got a lock. */
void model_hold_begin(struct model *m, struct thread *t, const struct hold *hold);
/* A thread has given a lock back, once; false: it has not got it. */
bool model_hold_end(struct model *m, struct thread *t, struct lock *lock, int64_t ts, int64_t site);
/* A thread has given a lock back, however often it has it: returns how often that was. */
uint32_t model_hold_release(
	struct model *m, struct thread *t, struct lock *lock, int64_t ts, int64_t site);
/* Writes those that are not written yet, with a NULL end. */
void model_holds_flush(struct model *m, struct thread *t);
/* What a thread holds when it ends stays taken; when its program is replaced, it goes. */
void model_holds_abandon(struct model *m, struct thread *t);
void model_holds_drop(struct model *m, struct thread *t);
/* Returns what a thread has of a lock, or NULL. */
struct hold *model_find_hold(const struct thread *t, const struct lock *lock);
/* Takes a hold out of those of a thread. */
void model_hold_drop(struct model *m, struct thread *t, struct hold *h, int64_t ts);
/* Completes the row of a hold that was ended by others. */
void model_hold_complete(struct model *m, const struct hold *h, int64_t thread_id, int64_t ts);

struct abandoned *model_abandoned_add(
	struct model *m, const struct hold *hold, int64_t thread_id, int64_t process_id);
/* Somebody released the lock or took it anew; all: shared holds too. */
void model_abandoned_drop(struct model *m, struct lock *lock, bool all, int64_t ts);
void model_abandoned_forget(struct model *m, const struct proc *p);
void model_abandoned_done(struct model *m);
void model_open_flush(struct model *m);

/* A thread takes, or waits for, a lock while it holds others. */
void model_edges(struct model *m, struct thread *t, struct lock *to, uint8_t mode, int64_t site,
	bool tried, int64_t ts);
void model_edges_flush(struct model *m, struct thread *t, bool free_all);
void model_edges_free(struct thread *t);

/* Adds time that a thread held, or waited for, locks. */
void model_lane_hold(struct model *m, struct thread *t, int64_t end);
void model_lane_wait(struct model *m, struct thread *t, int64_t start, int64_t end);
void model_lane_took(struct model *m, struct thread *t, int64_t ts);
void model_lane_flush(struct model *m, struct thread *t);
void model_lane_free(struct thread *t);

#endif
