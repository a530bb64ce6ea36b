/* uring_of_parent.c - a child reads from a pipe into which the io_uring of its parent will write, who waits for the child. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: axboe/liburing#393
 */
#include <sys/wait.h>

#include "tests/corpus/events/ring.h"

int main(void)
{
	int ends[2];
	char byte;

	if (pipe(ends) < 0)
		exit(1);
	if (fork() == 0) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) != 1);
	}
	ring_write_later(ends[1], 60);
	wait(NULL);
	return 0;
}
