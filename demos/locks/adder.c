/* adder.c - a hundred threads add to one number, with or without a lock. */
/* SPDX-License-Identifier: MIT */
/* Try: --lock --delay 0.1 */
#include "../demo.h"

#include <pthread.h>
#include <sched.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile long sum;
static double delay = 0.5;
static bool lock;

static void add_one(void)
{
	long seen;

	if (lock)
		pthread_mutex_lock(&mutex);
	seen = sum;
	sched_yield(); /* lets the others in, so that the mistake shows */
	sum = seen + 1;
	if (lock)
		pthread_mutex_unlock(&mutex);
}

static void *adder(void *arg)
{
	(void)arg;
	add_one();
	demo_sleep(delay);
	add_one();
	return NULL;
}

int main(int argc, char **argv)
{
	long count = 100;
	pthread_t *threads;
	struct demo_option options[] = {
		{"--delay", "between the two additions (0.5)", .seconds = &delay},
		{"--count", "how many threads (100)", .number = &count},
		{"--lock", "add under a lock: nothing gets lost", .flag = &lock},
		{0},
	};

	demo_options(argc, argv, "", options);
	threads = calloc((size_t)count + 1, sizeof *threads);
	if (!threads)
		demo_die("calloc");
	for (long i = 0; i < count; i++) {
		errno = pthread_create(&threads[i], NULL, adder, NULL);
		if (errno)
			demo_die("pthread_create");
	}
	for (long i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	printf("%ld\n", sum);
	free(threads);
	return 0;
}
