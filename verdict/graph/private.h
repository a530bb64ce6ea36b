/* private.h - what the files that build the wait-for graph share. */
/* SPDX-License-Identifier: MIT */
#ifndef VERDICT_GRAPH_PRIVATE_H
#define VERDICT_GRAPH_PRIVATE_H

#include "verdict/graph/providers.h"

#include <signal.h>

/*
 * Every function providers_on_... takes a thread that is blocked in one way and
 * returns the node that its wait rests on, or LIVE: the outside world can end
 * it, or too little is known to deny that. Whatever is doubtful is LIVE: missing a deadlock is a pity, inventing one is a lie.
 */
#define LIVE UINT32_MAX

/* Kinds of nodes that several waiters share. */
enum share {
	SHARE_MEMORY,
	SHARE_HOLDERS,
	SHARE_READERS_TURN,
	SHARE_REACH,
	SHARE_LOST,
	SHARE_PIPE,
	SHARE_CHILDREN,
	SHARE_FAMILY,
	SHARE_COLLECTIVE,
	SHARE_NOBODY
};

/* In the generous graph: says what somebody outside may do for a thread. */
void providers_maybe(struct providers *pr, uint32_t thread, uint64_t how);

/*
 * In the generous graph: a handler that the program installed in its language may end what that language's
 * runtime waits for (Python's raise exceptions), unlike a wait of C.
 */
void providers_maybe_told(struct providers *pr, uint32_t thread);

/* Returns true and the node if it is made already; else makes it: the caller adds its edges. */
bool providers_shared(struct providers *pr, enum share what, uint64_t key, enum fixpoint_mode mode,
	uint32_t *ret);

/* Lets a node rest on the living threads of a process. */
void providers_add_threads(struct providers *pr, uint32_t node, uint32_t process);

/* Returns the node of all living threads of the trace. */
uint32_t providers_everybody(struct providers *pr);

/*
 * Returns the node of all who have a descriptor that a process made, as far as fork passes it on: the process, its
 * ancestors up to the last that executed a program, and their living descendants; in a snapshot everybody.
 */
uint32_t providers_family(struct providers *pr, uint32_t process);

/* Returns the living descendant of root that comes after p, which is root at the beginning; STATE_NONE: p was the last. */
uint32_t providers_descendant(const struct state *st, uint32_t root, uint32_t p);

/* Returns the node of the living children of a process, orphans among its descendants included. LIVE: one has ended and can be reaped. */
uint32_t providers_children(struct providers *pr, uint32_t process);

/* Returns the node of those whose end will send a process SIGCHLD: its living children. LIVE: one has ended just now. */
uint32_t providers_child_signals(struct providers *pr, uint32_t process);

/* Returns the process in whose memory the private objects of a process lie. */
int64_t providers_memory_of(const struct state *st, int64_t process_id);

/* Returns the node of every thread that can reach an object: those of its process, or of all processes that map it. */
uint32_t providers_reach(struct providers *pr, const struct state_lock *l, uint32_t thread);

/*
 * In the generous graph, solved: lets those go on whom another thread may rescue that can go on, on some condition at least.
 * Returns whether a thread became a source by that: then it is to be solved again.
 */
bool providers_rescue(struct providers *pr);

/*
 * The same of those who wait for another process, or for what it has, that a process which can go on may end by a signal. To be asked
 * once no other rescue is left.
 */
bool providers_rescue_by_kill(struct providers *pr);

/*
 * Returns how somebody who can go on in a graph, solved, may release the lock that a thread waits for and that another one has:
 * MAYBE_UNLOCK, MAYBE_HANDED.
 */
uint64_t providers_lock_rescues(const struct providers *solved, uint32_t thread);

/* Finds who is to answer whom (answerer). Returns whether anybody asks. */
bool providers_find_answerers(struct providers *pr);

/*
 * In a graph of who is asked: says whether a thread waits for connections. In a snapshot for nothing else, but to be woken by its
 * own process: who has other connections may answer through these, or be told the answer by them.
 */
bool providers_accepts(const struct providers *pr, uint32_t thread);

/* Frees what is known of ranks of MPI jobs. Accepts NULL. */
void providers_mpi_free(struct mpi_ranks *ranks);

/* What the waits of a reason rest on: one function for each provider that waits.def names, beside others like it. */
#define WAIT(NAME, number, name, provider, ...)                                                    \
	uint32_t providers_on_##provider(struct providers *pr, uint32_t thread);
#include "schema/waits.def"
#undef WAIT

#endif
