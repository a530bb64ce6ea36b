/* wait.h - waits, in the mode in which no kernel probe sees them. */
/* SPDX-License-Identifier: MIT */
/*
 * Wrapped with --backend=shim, but for what stdio holds. To be read in this order: report.c (processes), wait.c (what all
 * waits have in common), fdlist.c, kind.c and ofd.c (what descriptors are), fd.c (made and closed), io_call.c (one read or
 * write), io.c, stdio.c, filelock.c, poll.c, ipc.c, kill.c, signal.c, timer.c, and syscall.c (the same by number). The folder
 * processes stands on them.
 */
#ifndef PROBES_SHIM_CALLS_WAIT_H
#define PROBES_SHIM_CALLS_WAIT_H

#include "probes/shim/shim.h"
#include "probes/shim/calls/report.h"

/* Fills a record for the system call nr and the reason; all else is 0 but the signal mask. */
void wait_init(struct rec_WAIT_BEGIN *r, long nr, unsigned reason);

/* The thread continues. Keeps errno. */
void wait_end(void);

/* A cleanup handler for threads that are cancelled meanwhile. */
void wait_cancelled(void *unused);

/*
 * Records the wait r (struct rec_WAIT_BEGIN *; RECORD of shim.h), makes the call, evaluated once, into rc, and
 * records that the thread continues, also if it is cancelled in the call.
 */
#define WAIT_CALL(r, rc, call)                                                                     \
	do {                                                                                       \
		RECORD(WAIT_BEGIN, r);                                                             \
		pthread_cleanup_push(wait_cancelled, NULL);                                        \
		(rc) = (call);                                                                     \
		pthread_cleanup_pop(0);                                                            \
		wait_end();                                                                        \
	} while (0)

#endif
