/* memory.h - what the memory and the stacks of a process say about its waits. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: code.c (instructions around a call), mutex_owner.c (who owns the mutex that a thread waits
 * for), calls.c (which call of the library a thread is in), unflushed.c (output in a program's buffers, declared in snapshot.h).
 */
#ifndef TRACER_SNAPSHOT_MEMORY_MEMORY_H
#define TRACER_SNAPSHOT_MEMORY_MEMORY_H

#include "tracer/snapshot/snap.h"

/* ---- calls.c: what the stack shows ---- */

/* Returns the number of the call that a thread in restart_syscall really is in, or that of restart_syscall if that is not known. */
int64_t calls_restarted(
	struct snapshot *s, const struct snap_process *p, const struct snap_thread *t);

/* Walks the stacks anew for which registers were lacking, with those that the kernel tells. */
void calls_walk_rest(struct snapshot *s);

/* Walks the stack of a blocked thread: frames and site. */
void calls_walk(struct snapshot *s, struct snap_process *p, struct snap_thread *t);

/* Emits what tells the name of the semaphore that t waits for, if it has one. */
void calls_emit_name(struct snap_process *p, const struct snap_thread *t,
	void (*emit)(void *arg, const struct rec_head *rec), void *arg);

/* Emits the LOCK_ACQUIRE of each mutex that somebody waits for and that thread tid of p, which has ended, took. */
void calls_emit_taken(struct snapshot *s, const struct snap_process *p, pid_t tid, uint64_t ts,
	void (*emit)(void *arg, const struct rec_head *rec), void *arg);

/* Emits the SYNC_BEGIN or LOCK_REQUEST that the stack shows; returns false if it shows none. */
bool calls_emit(struct snapshot *s, struct snap_process *p, struct snap_thread *t,
	void (*emit)(void *arg, const struct rec_head *rec), void *arg);

/* ---- code.c: what the instructions around a call say ---- */

/* Returns the global variable that the call that returns to site is given as its first argument; 0: the code does not say. */
uint64_t code_first_argument(const struct snap_process *p, uint64_t site);

/* Returns the function that the call that returns to site calls, in whatever library it is; 0: the code does not say. */
uint64_t code_callee(const struct snap_process *p, uint64_t site);

/* ---- mutex_owner.c: who owns a mutex ---- */

/* Of a thread for which a PI mutex was refused: makes its wait one for that mutex, if it is known which. */
void mutex_find_refused(struct snap_process *p, struct snap_thread *t);

/* Returns the number of the owner of the plain mutex that t waits for; 0: none, or not known. */
uint32_t mutex_owner(const struct snap_process *p, const struct snap_thread *t);

/*
 * Forgets the owner of the shared mutex that t waits for if it does not map the memory: the
 * number is that of a process that came later, or that has executed another program since.
 */
void mutex_forget_stranger(
	const struct snapshot *s, const struct snap_process *p, struct snap_thread *t);

/* Says, once for each mutex that threads wait for, that its owner has not been recorded yet. */
bool mutex_is_new(struct snapshot *s, const struct snap_process *p, const struct snap_thread *t);

/* Returns its owner if that has ended and its number is nobody's, once for each mutex; else 0. */
uint32_t mutex_gone_owner(
	struct snapshot *s, const struct snap_process *p, const struct snap_thread *t);

#endif
