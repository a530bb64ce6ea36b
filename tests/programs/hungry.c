/* hungry.c - takes memory up to what it was told while its threads lock: for a control group that is hardly larger. */
/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { THREADS = 4, MIB = 1 << 20 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool full;
static long shared, each;

static void *lock_loop(void *arg)
{
	(void)arg;
	for (long i = 0; i < each || !full; i++) {
		(void)pthread_mutex_lock(&mutex);
		shared++;
		(void)pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

/* usage: hungry MIB OPERATIONS */
int main(int argc, char **argv)
{
	long mib = argc > 2 ? strtol(argv[1], NULL, 10) : 1;
	pthread_t t[THREADS];

	each = argc > 2 ? strtol(argv[2], NULL, 10) / THREADS : 1;
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, lock_loop, NULL))
			return 1;
	for (long i = 0; i < mib; i++) {
		char *p = malloc(MIB);

		if (!p)
			return 1;
		memset(p, (int)i + 1, MIB);
		(void)nanosleep(&(struct timespec){0, 5000000}, NULL);
	}
	full = true;
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(t[i], NULL);
	(void)printf("%s\n", shared >= each * THREADS ? "full" : "wrong");
	return 0;
}
