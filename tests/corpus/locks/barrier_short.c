/* barrier_short.c - a barrier was initialised for one thread more than there are. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: pthread_barrier_init(3): the count is that of the threads that must call pthread_barrier_wait
 */
#include <pthread.h>

static pthread_barrier_t step;

static void *work(void *arg)
{
	pthread_barrier_wait(&step);
	return arg;
}

int main(void)
{
	pthread_t a, b;

	pthread_barrier_init(&step, NULL, 3);
	pthread_create(&a, NULL, work, NULL);
	pthread_create(&b, NULL, work, NULL);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	return 0;
}
