/* unlocked_beside.c - a thread that has a mutex joins one that wants it, until main, which does not have it, unlocks it. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock
 * source: RIOT-OS/RIOT#9594, nuttx: a mutex given back by who did not take it; the healthy twin of cancelled_never.c
 */
#include "cancelled.h"

static void *keep(void *arg)
{
	pthread_mutex_lock(&mutex);
	pthread_barrier_wait(&both);
	pthread_join(wants, NULL);
	return arg;
}

int main(void)
{
	pthread_t keeps = begin(keep);

	sleep(60);
	pthread_mutex_unlock(&mutex);
	return pthread_join(keeps, NULL);
}
