/* timed_tick.c - a thread sleeps in a condition between its rounds, and the main thread waits for its end; two others back off from each other's locks. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * restless: it does something in each round
 * source: COVESA/dlt-daemon#491
 */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, a = PTHREAD_MUTEX_INITIALIZER,
		       b = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static volatile unsigned rounds;

static struct timespec after(long ms)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += ms * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return until;
}

static void *tick(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&m);
	while (rounds < 1000) {
		struct timespec until = after(100);

		(void)pthread_cond_timedwait(&c, &m, &until);
		rounds = rounds + 1;
	}
	pthread_mutex_unlock(&m);
	return NULL;
}

/* Takes both, in the order in which it is told; who does not get the second one gives the first one back. */
static void *both(void *arg)
{
	pthread_mutex_t *first = arg ? &a : &b, *second = arg ? &b : &a;

	while (rounds < 1000) {
		struct timespec until = after(150);

		pthread_mutex_lock(first);
		if (pthread_mutex_timedlock(second, &until) == 0) {
			struct timespec nap = {0, 100000000};

			nanosleep(&nap, NULL);
			pthread_mutex_unlock(second);
		}
		pthread_mutex_unlock(first);
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[3];

	pthread_create(&threads[0], NULL, tick, NULL);
	pthread_create(&threads[1], NULL, both, NULL);
	pthread_create(&threads[2], NULL, both, &a);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
