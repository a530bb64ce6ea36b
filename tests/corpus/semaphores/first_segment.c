/* first_segment.c - two programs meet in the first System V segment of an IPC namespace, whose number is 0. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * alone: segments of different IPC namespaces look the same from outside
 * source: goldsborough/ipc-bench#18, ofiwg/libfabric#7274
 */
#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

/* Returns the semaphore in the segment, under an address that differs with the gap. */
static sem_t *attach(size_t gap)
{
	mmap(NULL, gap, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return shmat(shmget(0x70707472, sizeof(sem_t), 0600), NULL, 0);
}

int main(void)
{
	if (unshare(CLONE_NEWIPC) < 0) {
		printf("skip: unshare: %s\n", strerror(errno));
		return 0;
	}
	if (shmget(0x70707472, sizeof(sem_t), IPC_CREAT | 0600) != 0)
		exit(1);
	sem_init(attach(4096), 1, 0);
	if (fork() == 0) {
		sleep(60);
		sem_post(attach(3 * 4096));
		_exit(0);
	}
	if (fork() == 0) {
		sem_wait(attach(7 * 4096));
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
