/* unlocked_by_other.c - main takes a mutex twice: the second time it waits until a thread gives it back, as if it were a semaphore. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock
 * source: RIOT-OS/RIOT#9594, erikkaashoek/Comskip#23; the healthy twin of mutex_again_beside.c
 */
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t done = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *arg)
{
	sleep(60);
	pthread_mutex_unlock(&done);
	return arg;
}

int main(void)
{
	pthread_t t;

	pthread_mutex_lock(&done);
	pthread_create(&t, NULL, work, NULL);
	return pthread_mutex_lock(&done);
}
