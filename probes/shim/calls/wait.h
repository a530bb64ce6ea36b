/* wait.h - waits, in the mode in which no kernel probe sees them. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_CALLS_WAIT_H
#define PROBES_SHIM_CALLS_WAIT_H

#include "probes/shim/shim.h"
#include "probes/shim/calls/report.h"

/* Fills a record for the system call nr and the reason; all else is 0 but the signal mask. */
void wait_init(struct rec_WAIT_BEGIN *r, long nr, unsigned reason);

/* The thread goes on. Keeps errno. */
void wait_end(void);

/* A cleanup handler for threads that are cancelled meanwhile. */
void wait_cancelled(void *unused);

#define WAIT_CALL(r, rc, call)                                                                     \
	do {                                                                                       \
		RECORD(WAIT_BEGIN, r);                                                             \
		pthread_cleanup_push(wait_cancelled, NULL);                                        \
		(rc) = (call);                                                                     \
		pthread_cleanup_pop(0);                                                            \
		wait_end();                                                                        \
	} while (0)

#endif
