/* service.c - four workers serve requests from a pipe at a steady rate: for the tests of long recordings. */
/* SPDX-License-Identifier: MIT */
/*
 * usage: service SECONDS RATE [deadlock]
 *
 * With deadlock, a lock that was taken at the start is part of one at the end.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOCKS = 64, WORKERS = 4, BURST = 100 };

static pthread_mutex_t locks[LOCKS];
static pthread_mutex_t early = PTHREAD_MUTEX_INITIALIZER, late = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t taken;
static int requests[2];

static void check(int failed)
{
	if (failed)
		abort();
}

static void *work(void *arg)
{
	unsigned seed = *(const unsigned *)arg;
	char c;

	while (read(requests[0], &c, 1) == 1) {
		int k = rand_r(&seed) % LOCKS;

		pthread_mutex_lock(&locks[k]);
		for (volatile int i = 0; i < 20000; i++)
			continue;
		pthread_mutex_unlock(&locks[k]);
	}
	return NULL;
}

static void *take_late(void *arg)
{
	pthread_mutex_lock(&late);
	pthread_barrier_wait(&taken);
	pthread_mutex_lock(&early);
	return arg;
}

static void serve(double seconds, long rate)
{
	struct timespec ts;

	check(clock_gettime(CLOCK_MONOTONIC, &ts));
	for (long i = 0; i < (long)(seconds * (double)rate); i++) {
		if (i % BURST == 0) {
			ts.tv_nsec += BURST * 1000000000l / rate;
			ts.tv_sec += ts.tv_nsec / 1000000000;
			ts.tv_nsec %= 1000000000;
			(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
		}
		check(write(requests[1], "x", 1) != 1);
	}
}

int main(int argc, char **argv)
{
	unsigned seeds[WORKERS];
	pthread_t t[WORKERS], other;

	if (argc < 3)
		return 2;
	check(pipe(requests));
	pthread_mutex_lock(&early);
	for (int i = 0; i < LOCKS; i++)
		check(pthread_mutex_init(&locks[i], NULL));
	for (unsigned i = 0; i < WORKERS; i++) {
		seeds[i] = i;
		check(pthread_create(&t[i], NULL, work, &seeds[i]));
	}
	serve(strtod(argv[1], NULL), strtol(argv[2], NULL, 10));
	check(close(requests[1]));
	for (int i = 0; i < WORKERS; i++)
		check(pthread_join(t[i], NULL));
	if (argc > 3 && !strcmp(argv[3], "deadlock")) {
		check(pthread_barrier_init(&taken, NULL, 2));
		check(pthread_create(&other, NULL, take_late, NULL));
		pthread_barrier_wait(&taken);
		pthread_mutex_lock(&late);
	}
	pthread_mutex_unlock(&early);
	puts("served");
	return 0;
}
