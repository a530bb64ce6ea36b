/* semset_slow.c - one process waits for a semaphore of System V that another one has, and works. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of semset_crossed
 */
#include "tests/corpus/queues/semset.h"

int main(void)
{
	int set = semset_new(1);
	pid_t child;

	semset_add(set, 0, -1);
	child = fork();
	if (child == 0) {
		semset_add(set, 0, -1);
		_exit(0);
	}
	sleep(60);
	semset_add(set, 0, 1);
	waitpid(child, NULL, 0);
	semctl(set, 0, IPC_RMID);
	return 0;
}
