/* eventfd_own.c - the only thread that could write an eventfd reads it: nobody else has ever had the descriptor. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock stuck
 * source: libuv#1334's kind (a loop that waits for its own wake-up)
 */
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int main(void)
{
	int fd = eventfd(0, 0);
	uint64_t n;

	return read(fd, &n, sizeof n) < 0;
}
