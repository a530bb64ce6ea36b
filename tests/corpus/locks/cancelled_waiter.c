/* cancelled_waiter.c - a thread that has a mutex joins one that wants it, until main cancels it: a handler gives the mutex back. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock
 * source: xrootd/xrootd#3, HPCToolkit/hpctoolkit#106; the healthy twin of cancelled_never.c
 */
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;
static pthread_t wants;

static void give_back(void *arg)
{
	pthread_mutex_unlock(arg);
}

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
	pthread_cleanup_push(give_back, &mutex);
	pthread_barrier_wait(&both);
	pthread_join(wants, NULL);
	pthread_cleanup_pop(1);
	return arg;
}

int main(void)
{
	pthread_t keeps;

	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&wants, NULL, want, NULL);
	pthread_create(&keeps, NULL, keep, NULL);
	sleep(60);
	pthread_cancel(keeps);
	return pthread_join(keeps, NULL);
}
