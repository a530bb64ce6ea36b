/* eventfd_read_late.c - a thread writes to an eventfd whose count is at its limit; the one that reads it has something else to do first. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of eventfd_full.c
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
	uint64_t count;

	event = eventfd(0, EFD_CLOEXEC);
	pthread_create(&notifier, NULL, notify, NULL);
	sleep(60);
	(void)!read(event, &count, sizeof count);
	pthread_join(notifier, NULL);
	return 0;
}
