/* sleep-holding-lock.c - a thread sleeps while it holds the lock that the others need. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <pthread.h>

static pthread_mutex_t door = PTHREAD_MUTEX_INITIALIZER;
static bool fixed = false;
static double delay = 0.05;

static void *worker(void *arg)
{
	for (int i = 0; i < 3; i++) {
		pthread_mutex_lock(&door);
		if (!fixed)
			demo_sleep(delay);
		pthread_mutex_unlock(&door);
		if (fixed)
			demo_sleep(delay);
	}
	return arg;
}

int main(int argc, char **argv)
{
	struct demo_option options[] = {
		{"--delay", "seconds to sleep each time", .seconds = &delay},
		{"--fixed", "release the lock before sleeping", .flag = &fixed},
		{0},
	};
	pthread_t threads[4];

	demo_options(argc, argv, "", options);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, worker, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	printf("done\n");
	return 0;
}
