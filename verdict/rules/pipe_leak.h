/* pipe_leak.h - what pipe_leak_load.c reads for pipe_leak.c. */
/* SPDX-License-Identifier: MIT */
#ifndef VERDICT_RULES_PIPE_LEAK_H
#define VERDICT_RULES_PIPE_LEAK_H

#include "base/hash.h"
#include "verdict/rules/rules.h"

enum { LEAK_LEAST_NS = 100000000 };

/* A wait for somebody at the other end. */
struct leak_wait {
	int64_t wait, thread, process, pipe, start_ns, end_ns, site;
	int side;
	bool writes, is_socketpair;
};

struct leak_end {
	int64_t pipe, process, fd, open_ns, close_ns; /* close_ns INT64_MAX: still open */
	int side;
	bool reads, writes, inherited;
	bool is_settled; /* since it was inherited the process has executed a program, or it was not inherited */
	bool is_given_up; /* it was closed on the way there, as it should be, however long that took */
};

/* All that concerns the pipes that somebody waits for. */
struct leaks {
	struct rule_context *ctx;
	struct leak_wait *waits;
	size_t n_waits, cap_waits;
	struct leak_end *ends; /* those of one pipe one behind the other */
	size_t n_ends, cap_ends;
	struct hash first; /* of each pipe: its first end, + 1 */
	struct hash
		users; /* of each direction of a pipe: processes that used it (1), that hold it (2) */
	struct hash seen;    /* directions, moments: looked at */
	struct hash told;    /* directions of which it has been said */
	struct hash parents; /* of each process */
};

/* One direction of a pipe, as those see it who are at the end that a waiter waits for. */
static inline uint64_t leak_direction(int64_t pipe, bool writes, int side)
{
	return hash_mix((uint64_t)pipe, writes, (uint64_t)side);
}

static inline int leak_other_side(const struct leak_wait *w)
{
	return w->is_socketpair ? !w->side : 0;
}

static inline uint64_t leak_awaited(const struct leak_wait *w)
{
	return leak_direction(w->pipe, !w->writes, leak_other_side(w));
}

/*
 * Reads all that concerns the pipes that somebody waits for; nothing more where nobody does. Returns 0 or -errno
 * with a sentence in the context's why. leaks_done is due either way.
 */
int leaks_load(struct leaks *l);
void leaks_done(struct leaks *l);

#endif
