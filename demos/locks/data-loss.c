/* data-loss.c - more lock operations than can be recorded: pptrace run --overflow=drop counts what it lost. */
/* SPDX-License-Identifier: MIT */
/* Run: --overflow=drop --ring=4 */
#include "../demo.h"

#include <pthread.h>

/* Two for each thread, taken in turn: what takes the same one again and again is recorded as a sum, however often. */
static pthread_mutex_t locks[4][2] = {{PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER},
	{PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER},
	{PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER},
	{PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER}};
static bool fixed = false;
static long count = 3000000;

static void *worker(void *arg)
{
	pthread_mutex_t *lock = arg;
	volatile long sum = 0;

	if (fixed)
		pthread_mutex_lock(lock);
	for (long i = 0; i < count; i++) {
		if (!fixed)
			pthread_mutex_lock(&lock[i % 2]);
		sum = sum + i;
		if (!fixed)
			pthread_mutex_unlock(&lock[i % 2]);
	}
	if (fixed)
		pthread_mutex_unlock(lock);
	return NULL;
}

int main(int argc, char **argv)
{
	struct demo_option options[] = {
		{"--count", "lock operations of each thread", .number = &count},
		{"--fixed", "take the lock once", .flag = &fixed},
		{0},
	};
	pthread_t threads[4];

	demo_options(argc, argv, "", options);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, worker, locks[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	printf("done\n");
	return 0;
}
