/* unlock-not-owner.c - a thread unlocks a mutex that another thread has locked. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <pthread.h>
#include <semaphore.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static sem_t done;
static bool fixed = false;

static void *worker(void *arg)
{
	printf("worker is done\n");
	/* A mutex must be unlocked by the thread that locked it; a semaphore may be posted by anybody. */
	if (fixed)
		sem_post(&done);
	else
		pthread_mutex_unlock(&turn);
	return arg;
}

int main(int argc, char **argv)
{
	struct demo_option options[] = {
		{"--fixed", "use a semaphore to say that it is done", .flag = &fixed},
		{0},
	};
	pthread_t thread;

	demo_options(argc, argv, "", options);
	sem_init(&done, 0, 0);
	if (!fixed)
		pthread_mutex_lock(&turn);
	pthread_create(&thread, NULL, worker, NULL);
	if (fixed)
		sem_wait(&done);
	else
		pthread_mutex_lock(&turn);
	printf("main goes on\n");
	pthread_join(thread, NULL);
	return 0;
}
