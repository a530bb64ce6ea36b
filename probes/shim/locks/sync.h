/* sync.h - waits for conditions, semaphores, barriers and threads. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_LOCKS_SYNC_H
#define PROBES_SHIM_LOCKS_SYNC_H

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "probes/shim/shim.h"

/* One call that may block, from its begin to its end. */
struct sync_call {
	unsigned op; /* enum sync_op */
	bool timed;
	bool passes; /* it will not block */
	bool waits;  /* a wait was recorded */
	uint64_t addr, mutex, target, value, site, start;
};

/* Records the begin; fills start. */
void sync_begin(struct sync_call *c);

/* Records the end with its result; value is that of the object afterwards. */
void sync_end(struct sync_call *c, int result, uint64_t value);

/* The end of a call that its thread never returned from, as a cleanup handler. */
void sync_cancelled(void *call);

/*
 * Makes the call in between. A cancelled thread leaves it by unwinding, which
 * runs the handler; the macro's own bookkeeping costs less than the call.
 */
#define SYNC_CALL(c, rc, call)                                                                     \
	do {                                                                                       \
		sync_begin(c);                                                                     \
		pthread_cleanup_push(sync_cancelled, (c));                                         \
		(rc) = (call);                                                                     \
		pthread_cleanup_pop(0);                                                            \
	} while (0)

#endif
