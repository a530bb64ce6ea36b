/* mutex_again_beside.c - a function takes the mutex that its caller has already, beside a thread that goes on. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock stuck
 * source: Amanieu/parking_lot#438, mattias800/prosper#979; the hanging twin of unlocked_by_other.c
 */
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;

static void look_up(void)
{
	pthread_mutex_lock(&table);
	pthread_mutex_unlock(&table);
}

static void *work(void *arg)
{
	sleep(60);
	return arg;
}

int main(void)
{
	pthread_t t;

	look_up();
	pthread_mutex_lock(&table);
	pthread_create(&t, NULL, work, NULL);
	look_up();
	pthread_mutex_unlock(&table);
	return 0;
}
