/* timer_thread.h - a timer that starts a thread when it expires. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_TIMER_THREAD_H
#define TESTS_CORPUS_TIMER_THREAD_H

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t expired;

/* Calls a function in a thread of its own, once, after that time. */
static inline void call_after(void (*function)(union sigval), time_t seconds, long ns)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = function};
	struct itimerspec when = {.it_value = {.tv_sec = seconds, .tv_nsec = ns}};
	timer_t timer;

	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &when, NULL);
}

#endif
