/* mutex_recursive.c - a function takes the recursive mutex that its caller has already, while another thread waits for it. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of mutex_again
 */
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t table;

static void *look_up(void *arg)
{
	pthread_mutex_lock(&table);
	pthread_mutex_unlock(&table);
	return arg;
}

int main(void)
{
	pthread_mutexattr_t attr;
	pthread_t other;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&table, &attr);
	pthread_mutex_lock(&table);
	pthread_create(&other, NULL, look_up, NULL);
	(void)look_up(NULL);
	sleep(30);
	pthread_mutex_unlock(&table);
	pthread_join(other, NULL);
	return 0;
}
