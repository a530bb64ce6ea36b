/* watch_under_lock.c - main holds a lock while it waits for a new file, which the thread that wants the lock is to make. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: inotify(7)
 */
#include "watch.h"

static void *make(void *arg)
{
	pthread_mutex_lock(&lock);
	fclose(fopen(FOLDER "/made", "w"));
	pthread_mutex_unlock(&lock);
	return arg;
}

int main(void)
{
	pthread_t maker;

	watch_here();
	pthread_mutex_lock(&lock);
	pthread_create(&maker, NULL, make, NULL);
	next_event();
	pthread_mutex_unlock(&lock);
	pthread_join(maker, NULL);
	return 0;
}
