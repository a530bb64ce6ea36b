/* private.h - what the files of this folder share. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_AUTHORITY_PRIVATE_H
#define TRACER_AUTHORITY_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/hash.h"

/* One process and no other: its number and when it started, in ticks since boot. */
struct authority_task {
	pid_t pid, parent;
	uint64_t start;
};

struct authority {
	bool (*has)(void *arg, int pidfd, pid_t pid);
	void *arg;
	struct authority_task root;
	bool had_children; /* pptrace had some before the command: what it adopts may be theirs */
	pthread_mutex_t lock; /* of proven */
	struct hash
		proven; /* by pid: start of processes that were found to descend from the command */
};

/* Reads who a process is, and who is its parent now. */
bool authority_task_read(pid_t pid, struct authority_task *ret);

/* Says whether a process descends from the command by its parents, or is an orphan that came down to us from it. */
bool authority_descends(struct authority *a, pid_t pid);

/* Says whether pptrace has privileges that its user has not: file capabilities, a set-user-ID bit. */
bool authority_is_elevated(void);

#endif
