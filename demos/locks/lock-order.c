/* lock-order.c - two threads take two locks in opposite orders, but not at the same time, so nothing goes wrong this time. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <pthread.h>

static pthread_mutex_t from = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t to = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t started, handed_over;
static bool fixed = false;

static void both(pthread_mutex_t *first, pthread_mutex_t *second)
{
	pthread_mutex_lock(first);
	pthread_mutex_lock(second);
	pthread_mutex_unlock(second);
	pthread_mutex_unlock(first);
}

static void *there(void *arg)
{
	pthread_barrier_wait(&started);
	both(&from, &to);
	pthread_barrier_wait(&handed_over);
	return arg;
}

static void *back(void *arg)
{
	pthread_barrier_wait(&started);
	pthread_barrier_wait(&handed_over);
	if (fixed)
		both(&from, &to);
	else
		both(&to, &from);
	return arg;
}

int main(int argc, char **argv)
{
	struct demo_option options[] = {
		{"--fixed", "both take the locks in the same order", .flag = &fixed},
		{0},
	};
	pthread_t threads[2];

	demo_options(argc, argv, "", options);
	pthread_barrier_init(&started, NULL, 2);
	pthread_barrier_init(&handed_over, NULL, 2);
	pthread_create(&threads[0], NULL, there, NULL);
	pthread_create(&threads[1], NULL, back, NULL);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	printf("done, this time\n");
	return 0;
}
