/* cancelled.h - a thread that has a mutex joins one that wants it, for the programs that differ in whether it is cancelled. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_LOCKS_CANCELLED_H
#define TESTS_CORPUS_LOCKS_CANCELLED_H

#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;
static pthread_t wants;

static void *want(void *arg)
{
	pthread_barrier_wait(&both);
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	return arg;
}

/* Starts both; keep is to meet the other one at the barrier when it has the mutex. Returns who keeps it. */
static pthread_t begin(void *(*keep)(void *arg))
{
	pthread_t keeps;

	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&wants, NULL, want, NULL);
	pthread_create(&keeps, NULL, keep, NULL);
	return keeps;
}

#endif
