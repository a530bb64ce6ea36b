/* exit.c - ends of processes and threads. */
/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <unistd.h>

#include "probes/shim/shim.h"
#include "probes/shim/calls/exit.h"
#include "probes/shim/sys.h"

REAL(exit)
REAL(quick_exit)
REAL(_exit)
REAL(pthread_exit)
REAL(thrd_exit)

/*
 * exit() flushes and runs handlers after any place where this library could
 * speak for the last time, and a signal ends a process without a word: those
 * ends the tracer notices by itself. Only _exit is recorded, to the point.
 */
static void record_exit(int code, bool last)
{
	struct rec_EXIT r;

	memset(&r, 0, sizeof r);
	r.status = (uint64_t)(unsigned)(code & 0xff) << 8;
	r.last = last;
	r.group_status = last ? r.status : 0;
	RECORD(EXIT, &r);
}

void exit_thread(void *unused)
{
	(void)unused;
	record_exit(0, false);
}

/* Handlers and flushing come first, and may take any time; the end itself the tracer notices. */
static void exiting(int code)
{
	struct rec_EXITING r;

	memset(&r, 0, sizeof r);
	r.status = (uint64_t)(unsigned)code;
	RECORD(EXITING, &r);
}

WRAPPER(exit) exit;
void exit(int code)
{
	if (shim_everything())
		exiting(code);
	real_exit()(code);
	__builtin_unreachable();
}

WRAPPER(quick_exit) quick_exit;
void quick_exit(int code)
{
	if (shim_everything())
		exiting(code);
	real_quick_exit()(code);
	__builtin_unreachable();
}

WRAPPER(_exit) _exit;
void _exit(int code)
{
	if (shim_everything())
		record_exit(code, true);
	real__exit()(code);
	__builtin_unreachable();
}

WRAPPER(_Exit) _Exit;
void _Exit(int code)
{
	_exit(code);
}

/* Other threads tell by a cleanup handler of what they run in. */
static void main_thread_ends(void)
{
	if (shim_everything() && shim_pid() == shim_tid())
		record_exit(0, false);
}

WRAPPER(pthread_exit) pthread_exit;
void pthread_exit(void *ret)
{
	main_thread_ends();
	real_pthread_exit()(ret);
	__builtin_unreachable();
}

WRAPPER(thrd_exit) thrd_exit;
void thrd_exit(int ret)
{
	main_thread_ends();
	real_thrd_exit()(ret);
	__builtin_unreachable();
}
