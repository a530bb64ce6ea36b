/* alarm_taken_back.c - two threads block each other, and the alarm that would have ended the program was cancelled. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: zoxy-io/zoxy#328, wiredtiger/wiredtiger#4481
 */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER, right = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;

static void late(int signo)
{
	(void)signo;
	_exit(3);
}

static void take(pthread_mutex_t *first, pthread_mutex_t *second)
{
	pthread_mutex_lock(first);
	pthread_barrier_wait(&both);
	pthread_mutex_lock(second);
}

static void *up(void *arg)
{
	take(&left, &right);
	return arg;
}

static void *down(void *arg)
{
	take(&right, &left);
	return arg;
}

int main(void)
{
	pthread_t a, b;

	pthread_barrier_init(&both, NULL, 2);
	signal(SIGALRM, late);
	alarm(60);
	alarm(0);
	pthread_create(&a, NULL, up, NULL);
	pthread_create(&b, NULL, down, NULL);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	return 0;
}
