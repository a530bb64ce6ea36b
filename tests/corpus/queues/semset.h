/* semset.h - semaphores of System V without a key. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_SEMSET_H
#define TESTS_CORPUS_SEMSET_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <unistd.h>

/* Makes n semaphores, all free; the set is gone once nobody waits for it that long. */
static inline int semset_new(int n)
{
	int id = semget(IPC_PRIVATE, n, 0600);

	if (id < 0) {
		puts("skip: System V semaphores cannot be had here");
		fflush(stdout);
		_exit(0);
	}
	for (int i = 0; i < n; i++)
		(void)semctl(id, i, SETVAL, 1);
	return id;
}

static inline void semset_add(int id, int semaphore, int value)
{
	struct sembuf op = {(unsigned short)semaphore, (short)value, 0};

	(void)semop(id, &op, 1);
}

#endif
