/* graph.h - the wait-for graph of one moment: which threads block each other. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: state.h and state.c (who waits for what at one moment; state_find.c, state_locks.c,
 * state_holders.c, state_signals.c), fixpoint.c (what is live), providers.c (what each wait rests on:
 * providers_lock.c, providers_pipe.c, providers_process.c, providers_mpi.c, and providers_reach.c for memory and
 * children; providers_rescue.c, providers_asked.c). The folder sets finds those that hold each other, verdict/text has their words,
 * verdict/rules/stuck.c makes findings of them.
 */
#ifndef VERDICT_GRAPH_GRAPH_H
#define VERDICT_GRAPH_GRAPH_H

#include "verdict/graph/providers.h"

#endif
