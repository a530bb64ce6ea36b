/* urgency.h - hurry, but give way to the traced program where what it does can wait. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_URGENCY_H
#define TRACER_URGENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The priority (nice value, setpriority(2)) of all threads of this process.
 * Only who may lower his nice value (CAP_SYS_NICE or RLIMIT_NICE) changes it
 * at all: without that right it stays as it was.
 */
struct urgency {
	bool known, able;
	int own;   /* as pptrace was started with */
	int value; /* as it is now */
	uint64_t pressed_at;
};

/*
 * Chooses by how soon records will be lost (0 to 100, see source.pressure) and
 * how many wait where there is much room (source.backlog). now is
 * CLOCK_MONOTONIC in ns. Cheap when nothing changes.
 */
void urgency_choose(struct urgency *u, unsigned pressure, size_t backlog, uint64_t now);

/* Back to what pptrace was started with: the traced program is gone. */
void urgency_end(struct urgency *u);

#endif
