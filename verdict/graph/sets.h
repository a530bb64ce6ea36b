/* sets.h - the sets of threads that block each other at one moment. */
/* SPDX-License-Identifier: MIT */
#ifndef VERDICT_GRAPH_SETS_H
#define VERDICT_GRAPH_SETS_H

#include "verdict/graph/providers.h"

struct stuck_set {
	uint32_t *members; /* threads of the state, in the order of a cycle where it is one */
	size_t n_members;
	uint32_t *
		behind; /* threads that wait for members, directly or not, and are not needed to hold them */
	size_t n_behind, cap_behind;
	bool certain;
	bool hidden;       /* waits for the outside, as idle programs do: not shown by default */
	unsigned maybe;    /* what could still release it: enum maybe */
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

/*
 * Adds the sets of one solved graph: certain ones (of the generous graph), then those of the strict graph that no
 * certain set has. For sets.c.
 */
void sets_collect(
	const struct state *st, const struct providers *pr, bool certain, struct stuck_sets *sets);

/*
 * Says whether the members' waits overlap for long enough, and sets since when
 * and for which reasons; for sets_members.c.
 */
bool sets_stood(const struct state *st, struct stuck_set *s);

#endif
