/* thread-count-wait1.c - main waits for its threads by polling their mutexes. */
/* SPDX-License-Identifier: MIT */
/* Try: --delay 0.1 */
#include "../demo.h"

#include <pthread.h>

enum { THREADS = 10 };

static pthread_mutex_t print_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t exit_mutexes[THREADS];
static double delay = 1;
static long count = 3;

static void *counter(void *arg)
{
	const int *id = arg;

	for (long i = 0; i < count; i++) {
		demo_sleep(delay);
		pthread_mutex_lock(&print_mutex);
		printf("[%d] => %ld\n", *id, i);
		pthread_mutex_unlock(&print_mutex);
	}
	pthread_mutex_lock(&exit_mutexes[*id]); /* says: I am done. Never unlocked. */
	return NULL;
}

static bool is_locked(pthread_mutex_t *mutex)
{
	if (pthread_mutex_trylock(mutex) == EBUSY)
		return true;
	pthread_mutex_unlock(mutex);
	return false;
}

int main(int argc, char **argv)
{
	static int ids[THREADS];
	struct demo_option options[] = {
		{"--delay", "between two numbers (1)", .seconds = &delay},
		{"--count", "number that each thread counts to (3)", .number = &count},
		{0},
	};

	demo_options(argc, argv, "", options);
	setlinebuf(stdout);
	for (int i = 0; i < THREADS; i++) {
		pthread_t thread;

		ids[i] = i;
		pthread_mutex_init(&exit_mutexes[i], NULL);
		errno = pthread_create(&thread, NULL, counter, &ids[i]);
		if (errno)
			demo_die("pthread_create");
		pthread_detach(thread);
	}
	for (int i = 0; i < THREADS; i++)
		while (!is_locked(&exit_mutexes[i]))
			continue; /* keeps a processor busy; pthread_join would sleep */
	printf("Main thread exiting.\n");
	return 0;
}
