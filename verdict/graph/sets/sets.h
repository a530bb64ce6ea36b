/* sets.h - sets of threads that hold each other, in the wait-for graph of one moment. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: sets.c (which are found, and what is said of each), members.c (who is in a set), stood.c (for
 * how long), idle.c, missing.c and rest.c (which are programs at rest), service.c (which take orders from a FIFO); ask.c asks about
 * their members.
 */
#ifndef VERDICT_GRAPH_SETS_SETS_H
#define VERDICT_GRAPH_SETS_SETS_H

#include "verdict/graph/graph.h"

struct stuck_set {
	uint32_t *members; /* threads of the state, in the order of a cycle where it is one */
	size_t n_members;
	uint32_t *
		behind; /* threads that wait for members, directly or not, and are not needed to hold them */
	size_t n_behind, cap_behind;
	bool certain;
	bool asks;         /* a member asks a server that rests otherwise */
	bool hidden;       /* waits for the outside, as idle programs do: not shown by default */
	uint64_t maybe;    /* what could still release it: bits MAYBE_... */
	unsigned reasons;  /* bit of each member's enum wait_reason */
	const char *shape; /* "cycle", "self", "knot", "abandoned" */
	int64_t since_ns;  /* the youngest of the members' waits */
};

struct stuck_sets {
	struct stuck_set *list;
	size_t n, cap;
};

/*
 * Finds the sets at the moment of st: certain ones first. Members must have
 * been blocked together for a while, so that a thread that has been woken and
 * has not run yet is not taken for a blocked one. Returns 0 or -errno with a
 * sentence in why; freed with sets_done in either case.
 */
int sets_find(const struct state *st, struct stuck_sets *ret, struct buf *why);
void sets_done(struct stuck_sets *sets);

#endif
