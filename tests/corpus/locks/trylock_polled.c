/* trylock_polled.c - a thread tries a mutex and backs off, again and again, while its owner sleeps: nothing is certain. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * all:    lock-contention
 * misses: ebpf why (a mutex that is only tried makes no system call; who polls never rests, and a snapshot sees no call that has returned)
 * source: apache/maven-resolver#1209
 */
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *poll_it(void *arg)
{
	while (pthread_mutex_trylock(&mutex))
		usleep(50000);
	return arg;
}

int main(void)
{
	pthread_t thread;

	pthread_mutex_lock(&mutex);
	if (pthread_create(&thread, NULL, poll_it, NULL))
		return 1;
	sleep(60);
	pthread_mutex_unlock(&mutex);
	return pthread_join(thread, NULL);
}
