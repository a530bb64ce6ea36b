/* timerfd_ticks.c - main joins a thread that waits for the ticks of a timer, each longer than what is left of it. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * restless: it waits for 1.6 s at a time
 * source: the healthy twin of timerfd_read and timerfd_disarmed
 */
#include <pthread.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void *tick(void *arg)
{
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	struct timespec often = {1, 600000000};
	uint64_t n;

	timerfd_settime(timer, 0, &(struct itimerspec){often, often}, NULL);
	while (read(timer, &n, sizeof n) > 0)
		;
	return arg;
}

int main(void)
{
	pthread_t t;

	pthread_create(&t, NULL, tick, NULL);
	pthread_join(t, NULL);
	return 0;
}
