/* providers.h - what each blocked thread rests on: the wait-for graph of one moment. */
/* SPDX-License-Identifier: MIT */
#ifndef VERDICT_GRAPH_PROVIDERS_H
#define VERDICT_GRAPH_PROVIDERS_H

#include "verdict/graph/web.h"
#include "verdict/graph/state.h"

/* Why something that nobody in the trace can bring may still come: bits of providers.maybe. */
enum maybe {
	MAYBE_SIGNAL = 1, /* a signal with a handler, in a process that waits for itself */
	MAYBE_FIFO = 2,   /* somebody outside opens the FIFO */
	MAYBE_SEM = 4,    /* somebody outside posts the named semaphore */
	MAYBE_SHARED = 8, /* somebody outside reaches the shared memory */
	MAYBE_POST =
		16, /* a semaphore that looks like a lock, but nobody has been seen to return it */
	MAYBE_EVENTFD = 32, /* somebody outside, or the kernel, has the eventfd */
	MAYBE_SENT = 64,    /* it waits for a signal as such, which anybody may send */
	MAYBE_REOPEN = 128, /* a live process opens the pipe through /proc/PID/fd */
	MAYBE_UNLOCK =
		256, /* a live thread releases the lock that another holds, as was seen before */
	MAYBE_FLIGHT = 2048, /* bytes of a TCP connection are still under way */
	MAYBE_IPC = 4096,    /* somebody outside uses the System V or POSIX queue or semaphore */
	MAYBE_URING =
		1024, /* the kernel reads, writes or closes through the io_uring of a process */
	MAYBE_HOOK = 8192, /* the program may have said what is to be done when it is told to end */
	MAYBE_TIMERFD = 16384, /* somebody arms the timerfd, which is not armed */
	MAYBE_ALARM =
		512 /* the handler of an armed timer's signal ends the program, jumps, unlocks */
};

/*
 * The web. Node i is thread i of the state; further nodes stand for processes, locks, sides of pipes. In the strict
 * graph only what is sure to go on is a source. In the generous one so is what somebody outside could still
 * release, and maybe says why: what is dead there is certainly dead, what is dead only in the strict graph is
 * conditionally dead.
 */
struct providers {
	const struct state *st;
	struct web web;
	unsigned *maybe;                /* of each thread; all 0 in the strict graph */
	uint32_t *process_node;         /* of each process: its living threads */
	struct hash shared;             /* nodes that several waiters share, + 1 */
	uint32_t everybody;             /* all threads that are alive, or STATE_NONE */
	const struct providers *strict; /* of the generous graph: the strict one, solved */
	bool generous, fifos_certain;
	bool reopens; /* a live process may open pipes of others */
};

/*
 * Builds and solves the strict graph (strict NULL), or the generous one, for
 * which the solved strict graph is needed. Freed with providers_done.
 */
int providers_build(struct providers *pr, const struct state *st, const struct providers *strict,
	struct buf *why);
void providers_done(struct providers *pr);

/* Says whether a lock of one process is a copy, made by fork, of one that this thread of another process had. */
bool providers_is_copy(const struct state *st, const struct state_lock *lock, int64_t thread_id);

/* Says whether this semaphore is used as a lock that another thread than the waiter has taken. */
bool providers_sem_is_lock(const struct state_lock *lock, const struct state_thread *waiter);

#endif
