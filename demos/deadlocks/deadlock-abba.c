/* deadlock-abba.c - two threads take two locks in opposite orders, and deadlock. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <pthread.h>

static pthread_mutex_t lock_a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t lock_b = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both_have_one;
static bool fixed = false;

static void *left(void *arg)
{
	pthread_mutex_lock(&lock_a);
	if (!fixed)
		pthread_barrier_wait(&both_have_one);
	pthread_mutex_lock(&lock_b);
	printf("left has both\n");
	pthread_mutex_unlock(&lock_b);
	pthread_mutex_unlock(&lock_a);
	return arg;
}

static void *right(void *arg)
{
	/* The fixed version takes the locks in the same order as left does. */
	pthread_mutex_t *first = fixed ? &lock_a : &lock_b;
	pthread_mutex_t *second = fixed ? &lock_b : &lock_a;

	pthread_mutex_lock(first);
	if (!fixed)
		pthread_barrier_wait(&both_have_one);
	pthread_mutex_lock(second);
	printf("right has both\n");
	pthread_mutex_unlock(second);
	pthread_mutex_unlock(first);
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
	pthread_barrier_init(&both_have_one, NULL, 2);
	pthread_create(&threads[0], NULL, left, NULL);
	pthread_create(&threads[1], NULL, right, NULL);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	printf("done\n");
	return 0;
}
