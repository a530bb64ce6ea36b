/* thread-count-wait2.c - main waits for its threads by polling their flags. */
/* SPDX-License-Identifier: MIT */
/* Try: --delay 0.1 */
#include "../demo.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 10 };

static atomic_bool done[THREADS];
static double delay = 1;
static long count = 3;

static void *counter(void *arg)
{
	const int *id = arg;

	for (long i = 0; i < count; i++) {
		demo_sleep(delay);
		printf("[%d] => %ld\n", *id, i);
	}
	done[*id] = true;
	return NULL;
}

int main(int argc, char **argv)
{
	static int ids[THREADS];
	struct demo_option options[] = {
		{"--delay", "between two numbers (1)", .seconds = &delay},
		{"--count", "number that each thread counts to (3)", .number = &count},
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
	for (int i = 0; i < THREADS; i++)
		while (!done[i])
			continue; /* keeps a processor busy; pthread_join would sleep */
	printf("Main thread exiting.\n");
	return 0;
}
