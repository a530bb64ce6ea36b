/* eventfd_orphan.c - two threads read two eventfds; a grandchild whose parent has ended will write to one of them. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: eventfd(2); the healthy twin of eventfd_read_late.c
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

static int ends[2];

static void *pass_on(void *arg)
{
	uint64_t n;

	if (read(ends[0], &n, sizeof n) < 0 || write(ends[1], &n, sizeof n) < 0)
		exit(1);
	return arg;
}

static void write_late(void)
{
	uint64_t one = 1;

	if (fork() == 0) {
		setsid();
		sleep(60);
		_exit(write(ends[0], &one, sizeof one) < 0);
	}
	_exit(0);
}

int main(void)
{
	pthread_t other;
	uint64_t n;

	ends[0] = eventfd(0, EFD_SEMAPHORE);
	ends[1] = eventfd(0, EFD_SEMAPHORE);
	if (fork() == 0)
		write_late();
	if (wait(NULL) < 0 || pthread_create(&other, NULL, pass_on, NULL))
		return 1;
	return read(ends[1], &n, sizeof n) < 0 || pthread_join(other, NULL);
}
