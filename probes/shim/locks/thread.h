/* thread.h - numbers of threads. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_LOCKS_THREAD_H
#define PROBES_SHIM_LOCKS_THREAD_H

#include <pthread.h>
#include <stdint.h>

/* Returns the tid of a thread that has not been joined; 0: it has ended, or it cannot be told. */
uint32_t thread_tid(pthread_t thread);

#endif
