/* lock_storm.c - threads lock and unlock two locks in turn, without a pause until a file is there, and then as often again as told. */
/* SPDX-License-Identifier: MIT */
/* usage: lock_storm THREADS FILE COUNT */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS_MAX = 64, BATCH = 100000 };

static const char *file;
static long count;

static void lock_often(pthread_mutex_t mutex[2], long n)
{
	while (n--) {
		pthread_mutex_lock(&mutex[n % 2]);
		pthread_mutex_unlock(&mutex[n % 2]);
	}
}

static void *work(void *arg)
{
	pthread_mutex_t mutex[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};

	while (access(file, F_OK) < 0)
		lock_often(mutex, BATCH);
	lock_often(mutex, count);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS_MAX];
	int n = argc == 4 ? atoi(argv[1]) : 0;

	if (n < 1 || n > THREADS_MAX)
		return 2;
	file = argv[2];
	count = atol(argv[3]);
	for (int i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, work, NULL) != 0)
			return 1;
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	puts("done");
	return 0;
}
