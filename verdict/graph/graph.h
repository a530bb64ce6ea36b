/* graph.h - the wait-for graph of one moment: which threads block each other. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: state.h and state.c (who waits for what at one moment; state_find.c, state_locks.c,
 * state_holders.c, state_signals.c), fixpoint.c (what is live), providers.c (what each wait rests on:
 * providers_lock.c, providers_pipe.c, providers_process.c, providers_mpi.c, and providers_reach.c for memory and
 * children; providers_rescue.c), sets.c with sets_members.c, sets_stood.c, sets_idle.c, sets_missing.c and sets_rest.c
 * (the sets that hold each other; sets_ask.c asks about their members). verdict/text has their words,
 * verdict/rules/stuck.c makes findings of them.
 */
#ifndef VERDICT_GRAPH_GRAPH_H
#define VERDICT_GRAPH_GRAPH_H

#include "verdict/graph/providers.h"

struct stuck_set {
	uint32_t *members; /* threads of the state, in the order of a cycle where it is one */
	size_t n_members;
	uint32_t *
		behind; /* threads that wait for members, directly or not, and are not needed to hold them */
	size_t n_behind, cap_behind;
	bool certain;
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
