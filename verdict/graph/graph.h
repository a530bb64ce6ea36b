/* graph.h - the wait-for graph: who can never proceed, as findings. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: state.h and state.c (who waits for what at one moment; state_find.c, state_locks.c,
 * state_holders.c, state_signals.c), web.c (the fixpoint: what is live), providers.c (what each wait rests on:
 * providers_lock.c, providers_pipe.c, providers_process.c, and providers_reach.c for memory and children), sets.c with
 * sets_members.c and sets_stood.c (the sets that hold each other), interrupted.c (who ended the program), stuck.c (the findings;
 * stuck_text.c, stuck_member.c and stuck_remedy.c are their words).
 */
#ifndef VERDICT_GRAPH_GRAPH_H
#define VERDICT_GRAPH_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct findings;
struct sqlite3;

/*
 * verdict_stuck; all: hidden sets too; ended: for the end of the trace, also
 * the sets that stood when one of their members was ended.
 */
int stuck_find(struct sqlite3 *db, int64_t at_ns, bool all, bool ended, struct findings *ret,
	struct buf *why);

/* Adds those of the sets reported while the trace lasted that a signal ended and that are not among fs. */
int stuck_keep(
	struct sqlite3 *db, const struct findings *reported, struct findings *fs, struct buf *why);

#endif
