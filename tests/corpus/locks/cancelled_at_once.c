/* cancelled_at_once.c - two threads want each other's mutex; one may be cancelled at any time, and main does it: a handler gives its own back. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock
 * source: pthread_setcanceltype(3); the healthy twin of mutex_abba.c
 */
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER, right = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;

static void give_back(void *arg)
{
	pthread_mutex_unlock(arg);
}

static void take(pthread_mutex_t *one, pthread_mutex_t *other)
{
	pthread_mutex_lock(one);
	pthread_barrier_wait(&both);
	pthread_mutex_lock(other);
	pthread_mutex_unlock(other);
}

static void *first(void *arg)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	pthread_cleanup_push(give_back, &left);
	take(&left, &right);
	pthread_cleanup_pop(1);
	return arg;
}

static void *second(void *arg)
{
	take(&right, &left);
	pthread_mutex_unlock(&right);
	return arg;
}

int main(void)
{
	pthread_t a, b;

	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&a, NULL, first, NULL);
	pthread_create(&b, NULL, second, NULL);
	sleep(60);
	pthread_cancel(a);
	pthread_join(a, NULL);
	return pthread_join(b, NULL);
}
