/* mutex_again.c - a function takes the mutex that its caller has already. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: Amanieu/parking_lot#438, mattias800/prosper#979
 */
#include <pthread.h>

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;

static void look_up(void)
{
	pthread_mutex_lock(&table);
	pthread_mutex_unlock(&table);
}

int main(void)
{
	pthread_mutex_lock(&table);
	look_up();
	pthread_mutex_unlock(&table);
	return 0;
}
