/* report.h - records of processes, for the mode in which no kernel probe reports them. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_CALLS_REPORT_H
#define PROBES_SHIM_CALLS_REPORT_H

#include "probes/shim/shim.h"

/*
 * Each function does nothing unless everything is to be recorded. All of them
 * may run in the child of a vfork, on the parent's memory: records name the
 * task that runs.
 */
struct exec_call {
	bool on;
	const char *path;
	char *const *argv;
};

/* Before an exec. What can load the library reports itself when it starts; for the rest it is done here. */
void report_exec(struct exec_call *c, const char *path, char *const *argv, bool bears);

/* After an exec that came back; keeps errno. */
void report_exec_failed(const struct exec_call *c);

/* A program has started with this library: its arguments, descriptors and file. */
void report_start(void);

struct spawn_call {
	struct ring_pending fork;
	uint64_t begun;
	bool on;   /* everything is recorded */
	bool fifo; /* the child opens a FIFO first */
};

/* Around a call that makes a child: fork, posix_spawn, clone. flags: those of clone, where known. */
void report_spawn(struct spawn_call *c);
void report_child(struct spawn_call *c, pid_t child, uint64_t flags);

/* The same for posix_spawn, which also executes. actions: its posix_spawn_file_actions_t, may be NULL. */
void report_spawn_actions(struct spawn_call *c, const void *actions);
void report_spawned(
	struct spawn_call *c, int rc, pid_t child, const char *path, char *const *argv, bool bears);

/* A parent waits until its child executes or ends; pid: the parent, if the child records it. ts 0: now. */
void report_vfork_wait(pid_t child, uint32_t pid, uint64_t ts);

/*
 * Before a fork: finds the functions that a child is most likely to call, of descriptors (fd.c) and signals (signal.c).
 * Each child would have to be given the pages in which they are found.
 */
void fd_prepare(void);
void signal_prepare(void);

#endif
