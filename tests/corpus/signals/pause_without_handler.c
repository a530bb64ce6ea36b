/* pause_without_handler.c - main waits for a thread that waits for a signal, of which none has a handler. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock stuck
 * source: the glibc manual on pause(2): without a handler a signal only kills
 */
#include <pthread.h>
#include <unistd.h>

static void *wait_for_signal(void *arg)
{
	pause();
	return arg;
}

int main(void)
{
	pthread_t t;

	pthread_create(&t, NULL, wait_for_signal, NULL);
	pthread_join(t, NULL);
	return 0;
}
