/* mutex_pi_slow.c - two threads take two mutexes with priority inheritance in the same order; the first keeps them for long. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of mutex_pi.c
 */
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t outer, inner;

static void *both(void *arg)
{
	pthread_mutex_lock(&outer);
	pthread_mutex_lock(&inner);
	sleep(60);
	pthread_mutex_unlock(&inner);
	pthread_mutex_unlock(&outer);
	return arg;
}

int main(void)
{
	pthread_mutexattr_t attr;
	pthread_t a, b;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&outer, &attr);
	pthread_mutex_init(&inner, &attr);
	pthread_create(&a, NULL, both, NULL);
	pthread_create(&b, NULL, both, NULL);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	return 0;
}
