/* thread-count.c - ten threads count side by side, without any lock. */
/* SPDX-License-Identifier: MIT */
/* Try: --delay 0.2 */
#include "../demo.h"

#include <pthread.h>

enum { THREADS = 10 };

static double delay = 1;
static long count = 3;

static void *counter(void *arg)
{
	const int *id = arg;

	for (long i = 0; i < count; i++) {
		demo_sleep(delay);
		printf("[%d] => %ld\n", *id, i);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static int ids[THREADS];
	bool early = false;
	struct demo_option options[] = {
		{"--delay", "between two numbers (1)", .seconds = &delay},
		{"--count", "number that each thread counts to (3)", .number = &count},
		{"--early", "main does not wait for the threads", .flag = &early},
		{0},
	};

	demo_options(argc, argv, "", options);
	setlinebuf(stdout);
	for (int i = 0; i < THREADS; i++) {
		pthread_t thread;

		ids[i] = i;
		errno = pthread_create(&thread, NULL, counter, &ids[i]);
		if (errno)
			demo_die("pthread_create");
		pthread_detach(thread);
	}
	/* A guess: nothing makes sure that the threads are done by then. */
	if (!early)
		demo_sleep((double)count * delay * 4 / 3);
	printf("Main thread exiting.\n");
	return 0; /* which ends all threads */
}
