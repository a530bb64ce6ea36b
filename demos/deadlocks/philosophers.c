/* philosophers.c - five philosophers each take the left fork, and wait forever for the right one. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <pthread.h>

enum { PHILOSOPHERS = 5 };

static pthread_mutex_t forks[PHILOSOPHERS];
static pthread_barrier_t all_have_one;
static bool fixed = false;

static void *dine(void *arg)
{
	int me = *(int *)arg;
	int first = me, second = (me + 1) % PHILOSOPHERS;

	/* The fixed version takes the fork with the lower number first: the last one turns round. */
	if (fixed && second < first) {
		first = second;
		second = me;
	}
	pthread_mutex_lock(&forks[first]);
	if (!fixed)
		pthread_barrier_wait(&all_have_one);
	pthread_mutex_lock(&forks[second]);
	printf("philosopher %d eats\n", me);
	pthread_mutex_unlock(&forks[second]);
	pthread_mutex_unlock(&forks[first]);
	return NULL;
}

int main(int argc, char **argv)
{
	struct demo_option options[] = {
		{"--fixed", "everybody takes the fork with the lower number first", .flag = &fixed},
		{0},
	};
	pthread_t threads[PHILOSOPHERS];
	int numbers[PHILOSOPHERS];

	demo_options(argc, argv, "", options);
	pthread_barrier_init(&all_have_one, NULL, PHILOSOPHERS);
	for (int i = 0; i < PHILOSOPHERS; i++)
		pthread_mutex_init(&forks[i], NULL);
	for (int i = 0; i < PHILOSOPHERS; i++) {
		numbers[i] = i;
		pthread_create(&threads[i], NULL, dine, &numbers[i]);
	}
	for (int i = 0; i < PHILOSOPHERS; i++)
		pthread_join(threads[i], NULL);
	printf("all have eaten\n");
	return 0;
}
