/* path.c - threads whose critical path is known: "lock": three take turns at a lock; "join": a long and a short worker. */
/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MS = 1000, TURNS = 3 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t all_here;

static void *turn(void *arg)
{
	(void)pthread_barrier_wait(&all_here);
	(void)pthread_mutex_lock(&lock);
	(void)usleep(100 * MS);
	(void)pthread_mutex_unlock(&lock);
	return arg;
}

static void *long_worker(void *arg)
{
	(void)usleep(300 * MS);
	return arg;
}

static void *short_worker(void *arg)
{
	(void)usleep(100 * MS);
	return arg;
}

static void together(void *(*const *starts)(void *), int n)
{
	pthread_t threads[TURNS];

	for (int i = 0; i < n; i++)
		(void)pthread_create(&threads[i], NULL, starts[i], NULL);
	for (int i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	void *(*const turns[])(void *) = {turn, turn, turn};
	void *(*const workers[])(void *) = {long_worker, short_worker};

	if (argc != 2) {
		(void)fprintf(stderr, "usage: path lock|join\n");
		return 2;
	}
	(void)pthread_barrier_init(&all_here, NULL, TURNS);
	if (!strcmp(argv[1], "lock"))
		together(turns, TURNS);
	else
		together(workers, 2);
	return 0;
}
