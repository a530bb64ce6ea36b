/* mutex_ring.c - five threads each have a mutex and want that of their neighbour. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: futuregene/future-os#252, with more than two
 */
#include <pthread.h>
#include <stdint.h>

enum { N = 5 };

static pthread_mutex_t forks[N];
static pthread_barrier_t all;

static void *eat(void *arg)
{
	uintptr_t i = (uintptr_t)arg;

	pthread_mutex_lock(&forks[i]);
	pthread_barrier_wait(&all);
	pthread_mutex_lock(&forks[(i + 1) % N]);
	pthread_mutex_unlock(&forks[(i + 1) % N]);
	pthread_mutex_unlock(&forks[i]);
	return NULL;
}

int main(void)
{
	pthread_t threads[N];

	pthread_barrier_init(&all, NULL, N);
	for (int i = 0; i < N; i++)
		pthread_mutex_init(&forks[i], NULL);
	for (uintptr_t i = 0; i < N; i++)
		pthread_create(&threads[i], NULL, eat, (void *)i);
	for (int i = 0; i < N; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
