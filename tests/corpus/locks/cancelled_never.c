/* cancelled_never.c - a thread that has a mutex joins one that wants it, and main, which goes on, cancels nobody. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: espeak-ng/espeak-ng#563; the hanging twin of cancelled_waiter.c
 */
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;
static pthread_t wants;

static void *want(void *arg)
{
	pthread_barrier_wait(&both);
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void *keep(void *arg)
{
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	pthread_mutex_lock(&mutex);
	pthread_barrier_wait(&both);
	pthread_join(wants, NULL);
	pthread_mutex_unlock(&mutex);
	return arg;
}

int main(void)
{
	pthread_t keeps;

	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&wants, NULL, want, NULL);
	pthread_create(&keeps, NULL, keep, NULL);
	return (int)sleep(60);
}
