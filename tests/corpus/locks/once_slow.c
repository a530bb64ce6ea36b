/* once_slow.c - threads wait for an initialiser that takes its time. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of once_crossed
 */
#include <pthread.h>
#include <unistd.h>

static pthread_once_t config = PTHREAD_ONCE_INIT;

static void set_up(void)
{
	sleep(30);
}

static void *use(void *arg)
{
	pthread_once(&config, set_up);
	return arg;
}

int main(void)
{
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, use, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
