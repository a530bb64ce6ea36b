/* providers.h - what each blocked thread rests on: the wait-for graph of one moment. */
/* SPDX-License-Identifier: MIT */
#ifndef VERDICT_GRAPH_PROVIDERS_H
#define VERDICT_GRAPH_PROVIDERS_H

#include "verdict/graph/fixpoint.h"
#include "verdict/graph/state.h"

/* Why something that nobody in the trace can bring may still come: bits of providers.maybe, a line each in maybe.def. */
enum maybe_number {
#define MAYBE(NAME, condition) MAYBE_NUMBER_##NAME,
#include "verdict/graph/maybe.def"
#undef MAYBE
	MAYBE_NUMBER_END
};
_Static_assert(MAYBE_NUMBER_END <= 64, "the bits fit into a uint64_t");

/* Constants, and no enum: that would hold an int. */
#define MAYBE(NAME, condition)                                                                     \
	static const uint64_t MAYBE_##NAME = UINT64_C(1) << MAYBE_NUMBER_##NAME;
#include "verdict/graph/maybe.def"
#undef MAYBE

/*
 * The graph. Node i is thread i of the state; further nodes stand for processes, locks, sides of pipes. In the strict
 * graph only what is sure to go on is a source. In the generous one so is what somebody outside could still
 * release, and maybe says why: what is dead there is certainly dead, what is dead only in the strict graph is
 * conditionally dead.
 */
struct providers {
	const struct state *st;
	struct fixpoint graph;
	uint64_t *maybe;                /* of each thread; all 0 in the strict graph */
	uint32_t *process_node;         /* of each process: its living threads */
	struct hash shared;             /* nodes that several waiters share, + 1 */
	struct mpi_ranks *mpi;          /* NULL: nobody waits in MPI */
	uint32_t everybody;             /* all threads that are alive, or STATE_NONE */
	const struct providers *strict; /* of the generous graph: the strict one, solved */
	bool generous;
	unsigned reopens; /* how live processes may come to files of others, such as pipes */
	int64_t asked_ns; /* where answerer is: when the first of those was asked who want a lock now */
	uint32_t *
		answerer; /* of a graph of who is asked, of each thread: who is to answer what it asks, or STATE_NONE; else NULL */
};

/*
 * Builds and solves the strict graph (strict NULL), or the generous one, for
 * which the solved strict graph is needed. Freed with providers_done.
 */
int providers_build(struct providers *pr, const struct state *st, const struct providers *strict,
	struct buf *why);
/*
 * Builds and solves the strict graph once more, with who asks a server something resting on the thread that has read it,
 * and with those at rest who wait for connections. Returns false, and builds nothing, where no such thread wants a lock of the other.
 */
bool providers_build_asked(struct providers *pr, const struct state *st);
void providers_done(struct providers *pr);

/* Says whether nobody can go on, in a graph of who is asked, who may have been handed what a thread asks. */
bool providers_is_answerless(const struct providers *pr, uint32_t asker);

/*
 * Returns how another thread that can go on in the graph, solved, may end a thread's wait. Whatever that is for: MAYBE_CANCEL, and
 * MAYBE_JUMP out of the handler of a signal. For a lock that a third one has: MAYBE_UNLOCK, MAYBE_HANDED.
 */
uint64_t providers_rescues(const struct providers *pr, uint32_t thread);

/* Says whether so few reads and writes were recorded that they may all be gone through: QUERY_PIPE_IO_MOST. */
bool providers_may_look_through(const struct state *st);

/* Says whether a lock of one process is a copy, made by fork, of one that this thread of another process had. */
bool providers_is_copy(const struct state *st, const struct state_lock *lock, int64_t thread_id);

/* Says whether this semaphore is used as a lock that another thread than the waiter has taken. */
bool providers_sem_is_lock(const struct state_lock *lock, const struct state_thread *waiter);

/* The same of one that the waiter itself has taken. */
bool providers_sem_is_own(const struct state_lock *lock, const struct state_thread *waiter);

#endif
