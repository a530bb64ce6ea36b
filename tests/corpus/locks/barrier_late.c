/* barrier_late.c - two threads wait at a barrier for the third, which has something else to do first. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of barrier_short.c
 */
#include <pthread.h>
#include <unistd.h>

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
	sleep(60);
	pthread_barrier_wait(&step);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	return 0;
}
