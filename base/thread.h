/* thread.h - start a thread that leaves signals to the main one. */
/* SPDX-License-Identifier: MIT */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

/*
 * As pthread_create with default attributes, for a thread that takes no
 * signal but SIGBUS: a fault whose signal is blocked ends the process, whatever
 * handler there is (sigprocmask(2), Notes). Returns 0 or a positive errno.
 */
int thread_start(pthread_t *ret, void *(*run)(void *arg), void *arg);

#endif
