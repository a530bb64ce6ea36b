/* cancelled_waiter.c - a thread that has a mutex joins one that wants it, until main cancels it: a handler gives the mutex back. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock
 * source: xrootd/xrootd#3, HPCToolkit/hpctoolkit#106; the healthy twin of cancelled_never.c
 */
#include "cancelled.h"

static void give_back(void *arg)
{
	pthread_mutex_unlock(arg);
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
	pthread_t keeps = begin(keep);

	sleep(60);
	pthread_cancel(keeps);
	return pthread_join(keeps, NULL);
}
