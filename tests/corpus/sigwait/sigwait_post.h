/* sigwait_post.h - a thread that posts a semaphore at a signal, for which it waits by sigwait. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_SIGWAIT_SIGWAIT_POST_H
#define TESTS_CORPUS_SIGWAIT_SIGWAIT_POST_H

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

#define SIGNO (SIGRTMIN + 1)

static sem_t posted;
static pthread_t poster;

static void *post_at_signal(void *set)
{
	int signo;

	if (sigwait(set, &signo) == 0)
		sem_post(&posted);
	return NULL;
}

static inline void start_poster(void)
{
	static sigset_t set;

	sem_init(&posted, 0, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGNO);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_create(&poster, NULL, post_at_signal, &set);
}

#endif
