/* cancelled_never.c - a thread that has a mutex joins one that wants it, and main, which goes on, cancels nobody. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock stuck
 * source: espeak-ng/espeak-ng#563; the hanging twin of cancelled_waiter.c
 */
#include "cancelled.h"

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
	(void)begin(keep);
	return (int)sleep(60);
}
