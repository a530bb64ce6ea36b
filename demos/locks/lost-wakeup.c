/* lost-wakeup.c - a condition is signalled before anybody waits for it. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t signalled;
static bool fixed = false, is_ready = false;

static void *consumer(void *arg)
{
	pthread_barrier_wait(&signalled);
	pthread_mutex_lock(&lock);
	/* A condition remembers nothing; the fixed version looks at a variable that does. */
	while (!fixed || !is_ready)
		pthread_cond_wait(&ready, &lock);
	pthread_mutex_unlock(&lock);
	printf("consumer goes on\n");
	return arg;
}

int main(int argc, char **argv)
{
	struct demo_option options[] = {
		{"--fixed", "keep the state in a variable and test it", .flag = &fixed},
		{0},
	};
	pthread_t thread;

	demo_options(argc, argv, "", options);
	pthread_barrier_init(&signalled, NULL, 2);
	pthread_create(&thread, NULL, consumer, NULL);
	pthread_mutex_lock(&lock);
	is_ready = true;
	pthread_cond_signal(&ready);
	pthread_mutex_unlock(&lock);
	pthread_barrier_wait(&signalled);
	pthread_join(thread, NULL);
	return 0;
}
