/* semset_left_taken.c - a process ended while it had a semaphore of System V, without SEM_UNDO. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: fachat/GeckOS-V2#51, asterinas/asterinas#3551
 */
#include "tests/corpus/queues/semset.h"

int main(void)
{
	int set = semset_new(1);
	pid_t child = fork();

	if (child == 0) {
		semset_add(set, 0, -1);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	semset_add(set, 0, -1);
	semctl(set, 0, IPC_RMID);
	return 0;
}
