/* timers.h - interval timers of other processes that are armed. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SNAPSHOT_TIMERS_H
#define TRACER_SNAPSHOT_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A real-time interval timer (alarm, setitimer) that is armed. */
struct timer_armed {
	pid_t pid;
	uint64_t expires;  /* CLOCK_MONOTONIC, ns */
	uint64_t interval; /* ns, 0: once */
};

/*
 * Lists all armed ones of the machine. The kernel's list of timers, which root may read, says whether
 * there is any at all; whose they are a BPF iterator tells. Returns how many
 * and *ret, which the caller frees; or -EPERM if it cannot be found out.
 */
int timers_armed(struct timer_armed **ret);

/*
 * Says whether a process may have armed one since it executed its program: false only if no file
 * of its code refers to a function that does.
 */
bool timers_possible(pid_t pid);

#endif
