/* timed_abba.c - two threads take two mutexes in opposite orders; each tries for a moment at a time, and never gives back what it has. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * restless: both try again after each time-out
 * misses: why (one look does not show that a wait with a time-out is begun again each time)
 * source: lneely/pcloudcc-lneely#258
 */
#include <pthread.h>
#include <time.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;

static void insist(pthread_mutex_t *m)
{
	struct timespec until;

	do {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 200000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
	} while (pthread_mutex_timedlock(m, &until) != 0);
}

static void *other(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&b);
	pthread_barrier_wait(&both);
	insist(&a);
	return NULL;
}

int main(void)
{
	pthread_t thread;

	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&thread, NULL, other, NULL);
	pthread_mutex_lock(&a);
	pthread_barrier_wait(&both);
	insist(&b);
	return pthread_join(thread, NULL);
}
