/* tasks.h - the threads of a process as the kernel knows them, and whether one has run since. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_RUNTIME_TASKS_H
#define TRACER_RUNTIME_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct task {
	pid_t tid;
	pid_t inner; /* its number in its own PID namespace */
	uint64_t switches;
	bool sleeps; /* it is blocked; cleared by tasks_settle if it ran since */
	char name[17];
};

struct tasks {
	struct task *list;
	size_t n, cap;
};

struct runtime_process;

/* Reads the threads of a process; none if it is gone. */
void tasks_read(struct tasks *t, const struct runtime_process *p);
void tasks_done(struct tasks *t);

/* Returns the thread with this number in its own PID namespace, or NULL. */
const struct task *tasks_find(const struct tasks *t, pid_t inner);

/*
 * Looks again: a thread that has run since tasks_read does not count as asleep. The
 * others all slept together, all the while between the two looks.
 */
void tasks_settle(struct tasks *t, const struct runtime_process *p);

#endif
