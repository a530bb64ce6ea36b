/* ring.h - an io_uring by bare system calls: a write that follows when a timeout is over. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_RING_H
#define TESTS_CORPUS_RING_H

#include <errno.h>
#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Lets the kernel write a byte to fd after so many seconds. Where rings are forbidden, the program says so and ends. */
static inline void ring_write_later(int fd, long long seconds)
{
	static char byte = 'w';
	static struct __kernel_timespec limit;
	struct io_uring_params p = {0};
	int ring = (int)syscall(SYS_io_uring_setup, 4, &p);
	struct io_uring_sqe *entries;
	unsigned *order;
	char *queue;

	if (ring < 0) {
		printf("skip: io_uring_setup: %s\n", strerror(errno));
		exit(0);
	}
	limit.tv_sec = seconds;
	queue = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof *order, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
	entries = mmap(NULL, p.sq_entries * sizeof *entries, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
	memset(entries, 0, 2 * sizeof *entries);
	entries[0].opcode = IORING_OP_TIMEOUT;
	entries[0].addr = (unsigned long)&limit;
	entries[0].len = 1;
	entries[0].flags = IOSQE_IO_HARDLINK;
	entries[1].opcode = IORING_OP_WRITE;
	entries[1].fd = fd;
	entries[1].addr = (unsigned long)&byte;
	entries[1].len = 1;
	order = (unsigned *)(void *)(queue + p.sq_off.array);
	order[0] = 0;
	order[1] = 1;
	__atomic_store_n((unsigned *)(void *)(queue + p.sq_off.tail), 2, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 2, 0, 0, NULL, 0) != 2)
		exit(1);
}

#endif
