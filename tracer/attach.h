/* attach.h - begin a recording in the middle of processes' lives. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_ATTACH_H
#define TRACER_ATTACH_H

#include <stddef.h>
#include <sys/types.h>

struct buf;
struct tracer;

/* Says whether these processes can be looked at: 0, or what snapshot_take returns with one sentence in why. */
int attach_check(const pid_t *pids, size_t n_pids, struct buf *why);

/*
 * Follows every thread of the processes and of their descendants from now on, and feeds the tracer their present
 * state. Must be called before the first tracer_poll. Returns 0 or -errno with one sentence in why. What the
 * recording lacks is noted in it.
 */
int attach_begin(struct tracer *t, const pid_t *pids, size_t n_pids, struct buf *why);

#endif
