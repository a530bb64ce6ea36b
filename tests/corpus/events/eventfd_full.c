/* eventfd_full.c - a thread writes to an eventfd whose count is at its limit, and nobody reads it. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: eventfd(2): write blocks until the count is small enough
 */
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int event;

static void *notify(void *arg)
{
	const uint64_t most = UINT64_MAX - 1, one = 1;

	if (write(event, &most, sizeof most) > 0)
		(void)!write(event, &one, sizeof one);
	return arg;
}

int main(void)
{
	pthread_t notifier;

	event = eventfd(0, EFD_CLOEXEC);
	pthread_create(&notifier, NULL, notify, NULL);
	pthread_join(notifier, NULL);
	return 0;
}
