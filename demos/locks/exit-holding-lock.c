/* exit-holding-lock.c - a thread ends early and leaves a mutex locked. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <pthread.h>

static pthread_mutex_t data_lock = PTHREAD_MUTEX_INITIALIZER;
static bool fixed = false;

static void *worker(void *arg)
{
	bool failed = true;

	pthread_mutex_lock(&data_lock);
	if (failed) {
		printf("worker gives up\n");
		if (fixed)
			pthread_mutex_unlock(&data_lock);
		return arg;
	}
	pthread_mutex_unlock(&data_lock);
	return arg;
}

int main(int argc, char **argv)
{
	struct demo_option options[] = {
		{"--fixed", "release the lock on the way out", .flag = &fixed},
		{0},
	};
	pthread_t thread;

	demo_options(argc, argv, "", options);
	pthread_create(&thread, NULL, worker, NULL);
	pthread_join(thread, NULL);
	pthread_mutex_lock(&data_lock);
	printf("main has the data\n");
	pthread_mutex_unlock(&data_lock);
	return 0;
}
