/* calls.h - what is known of each system call that can block. */
/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_CALLS_H
#define SCHEMA_CALLS_H

#include <stdbool.h>
#include <stdint.h>

/* System calls that block for the same kind of reason. */
enum call_family {
	FAMILY_OTHER,
	FAMILY_READ,
	FAMILY_WRITE,
	FAMILY_SPLICE,
	FAMILY_VMSPLICE,
	FAMILY_FUTEX,
	FAMILY_OPEN,
	FAMILY_CHILD,
	FAMILY_POLL,   /* number of descriptors in the second argument */
	FAMILY_SELECT, /* in the first */
	FAMILY_EPOLL,
	FAMILY_SLEEP,
	FAMILY_SIGNAL,
	FAMILY_FILE_LOCK,
	FAMILY_FCNTL,
	FAMILY_FORK,
	FAMILY_SOCKET,
	FAMILY_IPC,
	FAMILY_URING, /* completions asked for in the third */
	FAMILY_FILE
};

/* One line of calls.def. */
struct call_waits {
	enum call_family family;
	bool has_fd;
	unsigned fd; /* number of the argument that is the descriptor */
	enum { LIMIT_NONE, LIMIT_POINTER, LIMIT_MS } limit;
	unsigned limit_arg; /* number of the argument that is the timeout */
};

/* Returns what is known of a system call by its native number; what is not listed is OTHER. */
const struct call_waits *call_waits(int64_t nr);

/* Says whether a call with these six arguments was given a timeout. */
bool call_is_limited(int64_t nr, const uint64_t *args);

#endif
