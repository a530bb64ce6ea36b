/* thread-count-mutex.c - ten threads count, and take turns in printing. */
/* SPDX-License-Identifier: MIT */
/* Try: --delay 0.02 */
#include "../demo.h"

#include <pthread.h>

enum { THREADS = 10 };

static pthread_mutex_t print_mutex = PTHREAD_MUTEX_INITIALIZER;
static double delay = -1; /* while holding the mutex; not given: sleep outside it */
static double pause_between = 1;
static long count = 3;

static void *counter(void *arg)
{
	const int *id = arg;

	for (long i = 0; i < count; i++) {
		demo_sleep(pause_between);
		pthread_mutex_lock(&print_mutex);
		demo_sleep(delay);
		printf("[%d] => %ld\n", *id, i);
		pthread_mutex_unlock(&print_mutex);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static int ids[THREADS];
	double needed, pause_given = -1;
	struct demo_option options[] = {
		{"--delay", "sleep while holding the mutex (not at all)", .seconds = &delay},
		{"--pause", "sleep before taking it (1, or 0 with --delay)",
			.seconds = &pause_given},
		{"--count", "number that each thread counts to (3)", .number = &count},
		{0},
	};

	demo_options(argc, argv, "", options);
	setlinebuf(stdout);
	if (pause_given >= 0 || delay >= 0)
		pause_between = pause_given >= 0 ? pause_given : 0;
	for (int i = 0; i < THREADS; i++) {
		pthread_t thread;

		ids[i] = i;
		errno = pthread_create(&thread, NULL, counter, &ids[i]);
		if (errno)
			demo_die("pthread_create");
		pthread_detach(thread);
	}
	/* The pauses run side by side; the delays one after the other, for they hold the mutex. */
	needed = (double)count * pause_between;
	if (delay > 0)
		needed += (double)(count * THREADS) * delay;
	demo_sleep(needed > 0.3 ? needed * 4 / 3 : 0.4);
	pthread_mutex_lock(&print_mutex);
	printf("Main thread exiting.\n");
	pthread_mutex_unlock(&print_mutex);
	return 0;
}
