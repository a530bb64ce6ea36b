/* main-exit.c - main returns while its threads are still at work. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <pthread.h>

static double delay = 0.2;

static void *worker(void *arg)
{
	for (int i = 0; i < 3; i++)
		demo_sleep(delay);
	printf("worker is done\n");
	return arg;
}

int main(int argc, char **argv)
{
	bool fixed = false;
	struct demo_option options[] = {
		{"--delay", "seconds that a step of work takes", .seconds = &delay},
		{"--fixed", "join the threads", .flag = &fixed},
		{0},
	};
	pthread_t threads[3];

	demo_options(argc, argv, "", options);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, worker, NULL);
	demo_sleep(delay * 1.5);
	for (int i = 0; fixed && i < 3; i++)
		pthread_join(threads[i], NULL);
	printf("main returns\n");
	return 0;
}
