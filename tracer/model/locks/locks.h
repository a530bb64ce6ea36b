/* locks.h - locks in the model: who has which, who can reach them, in which order they are taken. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_MODEL_LOCKS_LOCKS_H
#define TRACER_MODEL_LOCKS_LOCKS_H

/*
 * To be read in this order, from the ground up: user.c (who can reach a lock), lock.c, stat.c (sums), fold.c (holds
 * that share a row), hold.c, edge.c (order), open.c (who has what now), file_lock.c, file_share.c, reach.c (locks at a fork),
 * polled.c; musl.c (objects of another C library), futex.c and event.c stand above the waits: what a futex belongs to, and the records of locks.
 */
#include "schema/record.h"
#include "tracer/model/state.h"

struct holds;

/* ---- Who can reach a lock that is shared (user.c) ---- */

/* A process can reach a shared lock. */
void model_lock_user(struct model *m, struct lock *lock, struct proc *p, int64_t ts);
/* It cannot any more. */
void model_lock_leave(struct model *m, struct lock *lock, const struct proc *p, int64_t ts);
/* A process shares the open file description through which a thread has a file lock. */
void model_lock_share(
	struct model *m, struct lock *lock, struct proc *p, int64_t taker_id, int64_t ts);
/* It does not any more. */
void model_lock_unshare(struct model *m, struct lock *lock, const struct proc *p, int64_t ts);
/* The taker no longer has the lock: nobody does, or those that shared it share it with heir. */
void model_lock_share_end(
	struct model *m, struct lock *lock, int64_t taker_id, struct thread *heir, int64_t ts);
/* Says whether a process shares the description of a taker. */
bool model_lock_is_shared(const struct lock *lock, const struct proc *p, int64_t taker_id);
/* Yields those who share a taker's description, *pos beginning with 0; false: no more. */
bool model_lock_next_share(
	const struct lock *lock, int64_t taker_id, size_t *pos, int64_t *ret_process);
/* Frees the list of those who can reach a lock. */
void model_lock_users_free(struct lock *lock);

/* ---- Locks and other objects: identity, row, sums (lock.c) ---- */

/* Returns the object at an address, or NULL. */
struct lock *model_find_lock(const struct proc *p, uint64_t addr);
/* Returns the object at an address of a process, made if it is not known. kind 0: any. */
struct lock *model_lock_at(struct model *m, struct proc *p, uint64_t addr, int kind, unsigned type);
/* Returns the shared object that is mapped from there, made if it is not known. */
struct lock *model_lock_shared(
	struct model *m, struct proc *p, uint64_t dev, uint64_t inode, uint64_t offset, int kind);
/* A shared object that was destroyed is found no more under what it is mapped from. */
void model_lock_unlist(struct model *m, const struct lock *lock);
/* Makes a lock; p NULL: shared. */
struct lock *model_lock_new(
	struct model *m, struct proc *p, uint64_t addr, int kind, unsigned type);
/* Makes a lock of a process that is found under its address. */
struct lock *model_lock_private(
	struct model *m, struct proc *vm, uint64_t addr, int kind, unsigned type);
/* The memory of a lock is gone or is another object's: it is freed when nothing points to it. */
void model_lock_kill(struct model *m, struct lock *lock);
/* A hold, wait or call lets go of a lock. */
void model_lock_unref(struct model *m, struct lock *lock);
/* Marks that the row of a lock, or that of its sums, is out of date. */
void model_lock_touch(struct model *m, struct lock *lock);
void model_stat_touch(struct model *m, struct lock *lock);
/* Writes the row of a lock; frees a lock that nothing points to. */
void model_lock_write(struct model *m, struct lock *lock);
void model_lock_free(struct lock *lock);

/* ---- Sums over the life of a lock, and over buckets of time (stat.c) ---- */

/* Counts that a thread waited for a lock from start to end. */
void model_stat_wait(
	struct model *m, struct thread *t, struct lock *lock, int64_t start, int64_t end);
/* A thread was blocked for a lock: that is counted where no acquisitions are recorded. */
void model_stat_waited(
	struct model *m, struct thread *t, struct lock *lock, int64_t start, int64_t end);
/*
 * The wait of a thread is over. Where no releases are recorded: the owner of a mutex would have woken the only
 * thread that is blocked on it; if another did, it released what it had not taken, and that is counted.
 */
void model_stat_foreign(struct model *m, struct thread *t, const struct thread *waker, int64_t ts);
/* Writes the row of a lock's sums. */
void model_stat_write(struct model *m, struct lock *lock);
/* Adds time that a thread held, or waited for, locks; counts that it took one. */
void model_lane_hold(struct model *m, struct thread *t, int64_t end);
void model_lane_wait(struct model *m, struct thread *t, int64_t start, int64_t end);
void model_lane_took(struct model *m, struct thread *t, int64_t ts, int64_t times);
void model_lane_held(struct model *m, struct thread *t, int64_t start, int64_t end);
void model_lane_flush(struct model *m, struct thread *t);
void model_lane_free(struct model *m, struct thread *t);

/* ---- Who has which lock, for how long (hold.c) ---- */

/* Returns what a thread has of a lock, or NULL; valid until it takes or releases one. */
struct hold *model_find_hold(const struct thread *t, const struct lock *lock);
/* A thread has got a lock. */
void model_hold_begin(struct model *m, struct thread *t, const struct hold *hold);
/* A thread has got a lock and released it several times; it has it no more. */
void model_hold_several(struct model *m, struct thread *t, const struct holds *holds);
/* A thread has released a lock, once; false: it does not have it. */
bool model_hold_end(struct model *m, struct thread *t, struct lock *lock, int64_t ts, int64_t site);
/* A thread has released a lock, however often it had it: returns how often that was. */
uint32_t model_hold_release(
	struct model *m, struct thread *t, struct lock *lock, int64_t ts, int64_t site);
/* Takes a hold off those of a thread; nothing is written. */
void model_hold_drop(struct model *m, struct thread *t, struct hold *h, int64_t ts);
/* Completes the row of a hold that was ended by others. */
void model_hold_complete(struct model *m, const struct hold *h, int64_t thread_id, int64_t ts);
/* Adds what is still held to the sums of the locks; once, at the end of the trace. */
void model_holds_count(struct model *m);
/* Writes those that are not written yet, with a NULL end. */
void model_holds_flush(struct model *m, struct thread *t);
/* The program of a thread is replaced: what it holds is gone, but for locks on files. */
void model_holds_drop(struct model *m, struct thread *t);

/* ---- Holds that share a row (fold.c) ---- */

/* A hold is over: says whether its row is that of others too, and will be written later. */
bool model_fold(struct model *m, struct thread *t, const struct hold *h, int64_t release,
	int64_t release_site);
/* The same of several equal holds that follow each other: first and last acquisition and release. */
struct holds {
	struct lock *lock;
	int64_t first, last, held, longest, count;
	int64_t site, release_site, stack;
	uint8_t mode;
};
void model_fold_several(struct model *m, struct thread *t, const struct holds *h);
/* Writes those of a thread that began before a time; says whether others are left. */
bool model_folds_write(struct model *m, const struct thread *t, int64_t before);
/* Frees them. */
void model_folds_free(struct thread *t);

/* ---- In which order locks are taken (edge.c) ---- */

/* A thread takes, or waits for, a lock while it holds others; so often. */
void model_edges(struct model *m, struct thread *t, struct lock *to, uint8_t mode, int64_t site,
	bool tried, int64_t ts, int64_t times);
void model_edges_flush(struct model *m, struct thread *t, bool free_all);
void model_edges_free(struct thread *t);

/* ---- Locks that are held now, also by those who cannot release them (open.c) ---- */

/* Returns a hold that nobody can end: that of a thread that has ended, or a copy made by fork. */
struct abandoned *model_abandoned_add(
	struct model *m, const struct hold *hold, int64_t thread_id, int64_t process_id);
/* What a thread holds when it ends stays taken. */
void model_holds_abandon(struct model *m, struct thread *t);
/* Somebody released the lock or took it again; all: shared holds too. */
void model_abandoned_drop(struct model *m, struct lock *lock, bool all, int64_t ts);
/* The memory of a process is gone. */
void model_abandoned_forget(struct model *m, const struct proc *p);
void model_abandoned_done(struct model *m);
/* Writes the table lock_open again. */
void model_open_flush(struct model *m);

/* ---- Locks on files (file_lock.c) ---- */

/* A call on a file lock blocks: the thread waits for one that is in its way, or for none where that is not known. */
void model_file_lock_wait(struct model *m, struct thread *t, const struct rec_WAIT_BEGIN *rec);

/* ---- Who shares them (file_share.c) ---- */

/* Children share the description of a flock; it goes with the last process that does. */
void model_file_locks_fork(
	struct model *m, struct proc *child, const struct proc *parent, int64_t ts);
/* Somebody waits for a lock: who has closed what he had taken it through leaves it to those that have that still. */
void model_file_locks_passed(struct model *m, const struct lock *lock, int64_t ts);
/* A thread execs: it keeps what its process has locked, also by threads that end there, but for what was closed by that. */
void model_file_locks_keep(struct model *m, struct thread *caller, int64_t ts);
void model_file_locks_exec(struct model *m, struct thread *caller, int64_t ts);
/* A thread of a process that has ended holds none any more; and the process shares none. */
void model_file_locks_exit(struct model *m, struct thread *t, int64_t ts);
void model_file_users_exit(struct model *m, const struct proc *p, int64_t ts);

/* ---- Locks in the memory of a process (reach.c) ---- */

/* The child of a fork has copies of its parent's locks. */
void model_locks_fork(struct model *m, struct proc *child, struct proc *parent,
	struct thread *forker, int64_t ts);
/* The memory of a process is gone (exec or exit): so are its private locks. */
void model_locks_forget(struct model *m, struct proc *p, int64_t ts);

/* ---- Locks that are asked for again and again (polled.c) ---- */

/* A thread asked for a lock without waiting for it; refused: somebody else has it. */
void model_polled(struct model *m, struct thread *t, struct lock *lock, bool refused, int64_t ts);

/* A wait has begun: if it is a sleep between two such questions it is a wait for that lock. */
void model_polled_wait(struct model *m, struct thread *t);
void model_polled_forget(struct model *m, struct thread *t);

/* ---- Which object a futex belongs to (futex.c) ---- */

/* Names the object of a wait: that of the library's call, else what the memory around the futex looks like. */
void model_futex(struct model *m, struct thread *t, const struct rec_WAIT_BEGIN *rec);

/* ---- Objects of musl (musl.c) ---- */

/* Returns the number of the thread for whose end a futex call of musl waits, or 0. */
uint32_t model_musl_joined(const struct rec_WAIT_BEGIN *rec);
/* Returns the number of the thread that has the mutex which it waits for, with address and type of that; or 0: none, or one that does not say it. */
uint32_t model_musl_owner(
	const struct rec_WAIT_BEGIN *rec, uint64_t *ret_mutex, unsigned *ret_type);

#endif
