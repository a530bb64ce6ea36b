/* abba.h - two threads that block each other, for the programs that differ in what ends them. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_SIGNALS_ABBA_H
#define TESTS_CORPUS_SIGNALS_ABBA_H

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER, right = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;

static void take(pthread_mutex_t *first, pthread_mutex_t *second)
{
	pthread_mutex_lock(first);
	pthread_barrier_wait(&both);
	pthread_mutex_lock(second);
}

static void *up(void *arg)
{
	take(&left, &right);
	return arg;
}

static void *down(void *arg)
{
	take(&right, &left);
	return arg;
}

/* Never returns. */
static void abba(void)
{
	pthread_t a, b;

	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&a, NULL, up, NULL);
	pthread_create(&b, NULL, down, NULL);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
}

#endif
