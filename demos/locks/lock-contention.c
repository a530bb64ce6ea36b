/* lock-contention.c - threads that should run in parallel contend for one lock. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <pthread.h>

static pthread_mutex_t sum_lock = PTHREAD_MUTEX_INITIALIZER;
static bool fixed = false;
static long count = 200;
static double sum = 0;

static double work(long i)
{
	double x = (double)i;

	for (int k = 0; k < 50000; k++)
		x = x * 0.999 + 1;
	return x;
}

static void *worker(void *arg)
{
	double mine = 0;

	for (long i = 0; i < count; i++) {
		if (!fixed)
			pthread_mutex_lock(&sum_lock);
		mine += work(i);
		if (!fixed) {
			sum += mine;
			mine = 0;
			pthread_mutex_unlock(&sum_lock);
		}
	}
	pthread_mutex_lock(&sum_lock);
	sum += mine;
	pthread_mutex_unlock(&sum_lock);
	return arg;
}

int main(int argc, char **argv)
{
	struct demo_option options[] = {
		{"--count", "lock operations of each thread", .number = &count},
		{"--fixed", "work without the lock, and add at the end", .flag = &fixed},
		{0},
	};
	pthread_t threads[4];

	demo_options(argc, argv, "", options);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, worker, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	printf("sum %g\n", sum);
	return 0;
}
