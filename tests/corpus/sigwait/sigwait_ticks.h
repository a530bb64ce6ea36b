/* sigwait_ticks.h - a thread takes the signal of a timer by sigwait, which all others block. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_SIGWAIT_SIGWAIT_TICKS_H
#define TESTS_CORPUS_SIGWAIT_SIGWAIT_TICKS_H

#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

/* Calls tick each time that the timer fires. */
static void *take_ticks(void *tick)
{
	sigset_t set;
	int signo;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	while (sigwait(&set, &signo) == 0)
		((void (*)(void))tick)();
	return NULL;
}

/* Starts it, with an interval of so many seconds. */
static inline void start_ticks(void (*tick)(void), int seconds)
{
	struct itimerval every = {{seconds, 0}, {seconds, 0}};
	sigset_t set;
	pthread_t t;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_create(&t, NULL, take_ticks, (void *)tick);
	setitimer(ITIMER_REAL, &every, NULL);
}

#endif
