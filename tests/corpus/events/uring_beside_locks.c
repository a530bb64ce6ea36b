/* uring_beside_locks.c - a lock is asked for twice in a program that has an io_uring, which cannot release it. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: the twin of uring_writes.c
 */
#include <pthread.h>

#include "tests/corpus/events/ring.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

int main(void)
{
	int ends[2];

	if (pipe(ends) < 0)
		exit(1);
	ring_write_later(ends[1], 60);
	pthread_mutex_lock(&mutex);
	pthread_mutex_lock(&mutex);
	return 0;
}
