/* uring_writes.c - a thread reads from its own pipe, into which its io_uring will write. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * all: stuck
 * source: commonwarexyz/monorepo#3159, axboe/liburing#393
 */
#include "tests/corpus/events/ring.h"

int main(void)
{
	int ends[2];
	char byte;

	if (pipe(ends) < 0)
		exit(1);
	ring_write_later(ends[1], 60);
	return read(ends[0], &byte, 1) != 1;
}
