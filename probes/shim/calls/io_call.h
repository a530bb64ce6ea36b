/* io_call.h - reads and writes of pipes. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_CALLS_IO_CALL_H
#define PROBES_SHIM_CALLS_IO_CALL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "probes/shim/calls/fdlist.h"

struct iovec;

/* One read or write. */
struct io_call {
	struct pipe_fd pipe; /* kind 0: nothing to record */
	int fd;
	int from, to; /* splice and tee: the two descriptors */
	unsigned op;  /* enum io_op */
	bool waits;   /* a wait was recorded */
	bool holds;   /* SIGPIPE is blocked until the result has been recorded */
	bool idle;    /* nothing of this is recorded */
	bool full;    /* it was tried: it would have to wait */
	bool all;     /* it waits until as many bytes are there as it wants (MSG_WAITALL) */
	uint64_t start, requested;
};

/*
 * Looks at the descriptor and makes the call at once if it does not have to
 * wait, which saves asking first. True: *ret_rc is its answer, for io_end.
 * False: continue with io_begin_slow, or without any of this if c->idle says so.
 */
bool io_try(
	struct io_call *c, int fd, unsigned op, const struct iovec *iov, size_t n, ssize_t *ret_rc);

/* The other half of io_begin, after io_try. */
bool io_begin_slow(struct io_call *c, bool nonblocking);

/* Looks at the descriptor, and records a wait if the call will block. Returns whether it is worth io_end. */
bool io_begin(struct io_call *c, int fd, unsigned op, size_t requested, bool nonblocking);

/* The same for a receiving call with these flags. */
bool io_begin_receive(struct io_call *c, int fd, size_t requested, int flags);

/* The same for one of the two descriptors between which splice or tee moves bytes: op says which. */
bool io_begin_between(
	struct io_call *c, int from, int to, unsigned op, size_t requested, bool nonblocking);

/* Records the result; data: the first bytes, may be NULL. Keeps errno. */
void io_end(struct io_call *c, ssize_t result, const void *data);

/* The same where the bytes lie in pieces. */
void io_end_vec(struct io_call *c, ssize_t result, const struct iovec *iov, size_t n);

#endif
