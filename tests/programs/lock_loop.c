/* lock_loop.c - takes two locks again and again in a thread; another only tries one. For the tests of small recordings. */
/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_mutex_t inner = PTHREAD_MUTEX_INITIALIZER, outer = PTHREAD_MUTEX_INITIALIZER,
		       taken = PTHREAD_MUTEX_INITIALIZER;
static long rounds;

static void *nest(void *arg)
{
	for (long i = 0; i < rounds; i++) {
		pthread_mutex_lock(&outer);
		pthread_mutex_lock(&inner);
		pthread_mutex_unlock(&inner);
		pthread_mutex_unlock(&outer);
	}
	return arg;
}

static void *again(void *arg)
{
	for (long i = 0; i < rounds; i++) {
		pthread_mutex_lock(&inner);
		pthread_mutex_unlock(&inner);
	}
	return arg;
}

static void *try(void *arg)
{
	long *busy = arg;

	for (long i = 0; i < rounds; i++)
		*busy += pthread_mutex_trylock(&taken) != 0;
	return NULL;
}

/* Runs one after the other, so that nobody waits. */
static void run(void *(*f)(void *), void *arg)
{
	pthread_t t;

	if (pthread_create(&t, NULL, f, arg) != 0)
		abort();
	(void)pthread_join(t, NULL);
}

int main(int argc, char **argv)
{
	long busy = 0;

	rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
	pthread_mutex_lock(&taken);
	run(again, NULL);
	run(nest, NULL);
	run(try, &busy);
	pthread_mutex_unlock(&taken);
	printf("%ld rounds, %ld busy\n", rounds, busy);
	return 0;
}
