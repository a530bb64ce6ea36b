/* timer_thread_locks.c - what a timer starts wants the lock that main holds while it waits for the timer. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock stuck
 * source: timer_create(2) with SIGEV_THREAD
 */
#include "timer_thread.h"

static void on_expiry(union sigval value)
{
	(void)value;
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	sem_post(&expired);
}

int main(void)
{
	sem_init(&expired, 0, 0);
	pthread_mutex_lock(&lock);
	call_after(on_expiry, 0, 1000000);
	sem_wait(&expired);
	pthread_mutex_unlock(&lock);
	return 0;
}
