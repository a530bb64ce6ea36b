/* ring.c - N threads in a ring of mutexes, each of which begins to wait STEP microseconds after the one before. */
/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST = 1000 };

static pthread_mutex_t forks[MOST];
static pthread_barrier_t all_have_one;
static size_t threads, step;

static void *dine(void *arg)
{
	size_t me = (size_t)((pthread_mutex_t *)arg - forks);

	pthread_mutex_lock(&forks[me]);
	pthread_barrier_wait(&all_have_one);
	usleep((useconds_t)(me * step));
	pthread_mutex_lock(&forks[(me + 1) % threads]);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t last;

	threads = argc > 1 ? strtoul(argv[1], NULL, 10) : 2;
	step = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	if (threads < 2 || threads > MOST)
		return 2;
	pthread_barrier_init(&all_have_one, NULL, (unsigned)threads);
	for (size_t i = 0; i < threads; i++) {
		pthread_mutex_init(&forks[i], NULL);
		if (pthread_create(&last, NULL, dine, &forks[i]) != 0)
			return 1;
	}
	return pthread_join(last, NULL);
}
