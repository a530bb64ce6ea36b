/* watch_in_turn.c - workers take turns at reading what happens to files, under a lock, and main waits for them. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of watch_under_lock.c
 */
#include "watch.h"

static void *work(void *arg)
{
	for (;;) {
		pthread_mutex_lock(&lock);
		next_event();
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

int main(void)
{
	pthread_t worker[3];

	watch_here();
	for (int i = 0; i < 3; i++)
		pthread_create(&worker[i], NULL, work, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(worker[i], NULL);
	return 0;
}
