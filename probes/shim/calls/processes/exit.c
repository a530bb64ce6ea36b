/* exit.c - ends of processes. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probes/shim/shim.h"
#include "probes/shim/calls/processes/preload.h"

REAL(exit)
REAL(quick_exit)
REAL(_exit)

/*
 * exit() flushes and runs handlers after the last place where this library could record anything, and a signal ends
 * a process without a record: the tracer notices those ends by itself. Only _exit is recorded, at its exact time.
 */
static void record_exit(int code)
{
	struct rec_EXIT r;

	memset(&r, 0, sizeof r);
	r.status = r.group_status = (uint64_t)(unsigned)(code & 0xff) << 8;
	r.last = 1;
	RECORD(EXIT, &r);
}

/* Handlers and flushing come first, and may take any time; the end itself the tracer notices. */
static void exiting(int code)
{
	struct rec_EXITING r;

	memset(&r, 0, sizeof r);
	r.status = (uint64_t)(unsigned)code;
	RECORD(EXITING, &r);
}

void exit_prepare(void)
{
	(void)real_exit();
	(void)real__exit();
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
		record_exit(code);
	real__exit()(code);
	__builtin_unreachable();
}

WRAPPER(_Exit) _Exit;
void _Exit(int code)
{
	_exit(code);
}
