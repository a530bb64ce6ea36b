/* timer_thread_posts.c - main holds a lock while it waits for a timer, which will start a thread; a worker wants the lock. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of timer_thread_locks.c
 */
#include "timer_thread.h"

static void on_expiry(union sigval value)
{
	(void)value;
	sem_post(&expired);
}

/* As a library's thread does, it leaves all signals to the program. */
static void *work(void *arg)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return arg;
}

int main(void)
{
	pthread_t worker;

	sem_init(&expired, 0, 0);
	pthread_mutex_lock(&lock);
	pthread_create(&worker, NULL, work, NULL);
	call_after(on_expiry, 600, 0);
	sem_wait(&expired);
	pthread_mutex_unlock(&lock);
	pthread_join(worker, NULL);
	return 0;
}
