/* task.h - numbers of threads and processes. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_TASK_H
#define PROBES_SHIM_TASK_H

#include <pthread.h>
#include <stdint.h>

/* Returns the tid of a thread that has not been joined; 0: it has ended, or that is not known. */
uint32_t thread_tid(pthread_t thread);

/* This thread and process by number, by way of memory if the call is not allowed; 0: not known. */
uint32_t shim_tid(void);
uint32_t shim_pid(void);

/* The inode of this process's PID namespace; 0: not known. */
uint64_t task_pidns(void);

/*
 * This thread as the tracer numbers it, pid << 32 | tid, if that lives in another
 * PID namespace than pidns and the /proc of here is still its own; else 0. A
 * thread may be gone before the tracer could look for it.
 */
uint64_t task_outer(uint64_t pidns);

#endif
