/* inspect_state.h - what an inspection has in hand; for inspect.c and inspect_judge.c. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_INSPECT_STATE_H
#define TRACER_INSPECT_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "tracer/snapshot/snapshot.h"

struct inspect {
	bool all;                 /* what is at rest counts too */
	struct buf records;       /* all records of the snapshot, concatenated */
	struct buf runtimes;      /* what the runtimes of languages said meanwhile */
	struct buf runtime_blind; /* and what of it was not understood */
	uint32_t tasks;           /* goroutines without a kernel thread, of those reported */
	struct symbols *symbols;
	struct authority *authority; /* for a core: grants no process */
	struct store *store;
	struct model *model;
	struct posix_timer {
		pid_t pid;
		int signo;
	} * posix_timers;
	size_t n_posix_timers, cap_posix_timers;
	struct timer_armed *armed; /* interval timers, of whatever process */
	int n_armed;               /* or a negative errno */
	struct snapshot_limits limits;
	uint64_t t0, taken; /* time 0 of the database; when the snapshot was complete */
};

#endif
