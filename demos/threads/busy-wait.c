/* busy-wait.c - a thread polls whether another one is done, and keeps a processor busy meanwhile. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_bool done;
static double delay = 0.5;

static void *worker(void *arg)
{
	demo_sleep(delay);
	done = true;
	return arg;
}

int main(int argc, char **argv)
{
	bool fixed = false;
	struct demo_option options[] = {
		{"--delay", "seconds that the worker takes", .seconds = &delay},
		{"--fixed", "join the thread", .flag = &fixed},
		{0},
	};
	pthread_t thread;

	demo_options(argc, argv, "", options);
	pthread_create(&thread, NULL, worker, NULL);
	if (!fixed)
		while (!done)
			continue;
	pthread_join(thread, NULL);
	printf("done\n");
	return 0;
}
