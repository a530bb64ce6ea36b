/* semset_crossed.c - two processes take two semaphores of System V in opposite orders. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: filebench/filebench#24
 */
#include "tests/corpus/queues/semset.h"

int main(void)
{
	int set = semset_new(2), both[2];
	pid_t child;
	char c;

	if (pipe(both) != 0)
		return 1;
	child = fork();
	semset_add(set, child == 0, -1);
	/* The child has taken its own before the parent goes on, and the other way round. */
	if (child == 0) {
		(void)!write(both[1], "x", 1);
		usleep(300000);
	} else {
		(void)!read(both[0], &c, 1);
	}
	semset_add(set, child != 0, -1);
	waitpid(child, NULL, 0);
	semctl(set, 0, IPC_RMID);
	return 0;
}
