/* snapshot.h - the state of processes that were never started under pptrace, as records. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SNAPSHOT_SNAPSHOT_H
#define TRACER_SNAPSHOT_SNAPSHOT_H

#include "tracer/source.h"

struct buf;
struct symbols;

/*
 * Reads the state of the given processes, their descendants, and whoever the
 * blocked threads among them wait for (holders of the other ends of their
 * pipes, sockets and locks), from /proc, and emits it as records with the flag
 * REC_SNAP, ordered by time: for each process MORE_ARGV, FOUND (main thread),
 * FOUND for its other threads, EXIT for what has ended already (zombies, a
 * main thread that left), MODULE, END_OPEN via END_FOUND, SIG_ACTION (handler
 * SNAPSHOT_HANDLER: some function), TIMER; then OUTSIDE, FILE_LOCK;
 * then for each thread that has been blocked all the while its WAIT_BEGIN with
 * the time since when (as near as the scheduler tells), before it
 * MORE_POLL, and, with calls, the SYNC_BEGIN or LOCK_REQUEST that its stack shows; after
 * it WAIT_SITE; and last SHARED_MAP. A thread that ran meanwhile has no WAIT_BEGIN.
 *
 * Threads are read, and then looked at once more: those with a WAIT_BEGIN were
 * all blocked together at one moment between.
 *
 * Only reads; stops nothing. What could not be read is added to blind, one
 * sentence a line. Returns 0, or -ESRCH (none of them is there), -EACCES
 * (none may be read), -EINVAL (a kernel thread) with one sentence in why.
 * If only some are not there, 0, and why says which and why.
 */
struct snapshot_limits {
	bool hidden;     /* a related process may not be read: it may hold ends of the same pipes */
	bool denied;     /* system calls and memory of some process may not be read */
	bool all_denied; /* of none of those that were asked for */
};
struct snapshot_config {
	const pid_t *pids;
	size_t n_pids;
	bool related; /* also descendants and whom they wait for */
	bool calls; /* also the library calls that blocked stacks show; only for a model that gets nothing but this */
	struct symbols *symbols; /* borrowed, keyed by pid; NULL: no stacks are walked */
	void (*between)(
		void *arg); /* called between the two looks, perhaps in a thread: what it reads holds for that moment too; or NULL */
	struct snapshot_limits
		*limits; /* set to what kept the snapshot from being complete, or NULL */
};
int snapshot_take(const struct snapshot_config *config, source_emit *emit, void *arg,
	struct buf *blind, struct buf *why);

/*
 * Sets *ret, which the caller frees, to the processes of the machine that map a file or have it
 * open and so may map it, as far as they may be read, pptrace itself left out. Returns how many.
 */
size_t snapshot_mappers(uint64_t dev, uint64_t inode, pid_t **ret);

/* Handler address in SIG_ACTION: there is a handler, and where is not known. */
#define SNAPSHOT_HANDLER 2

#endif
