/* semset_crossed.c - two processes take two semaphores of System V in opposite orders. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: filebench/filebench#24
 */
#include "tests/corpus/queues/semset.h"

int main(void)
{
	int set = semset_new(2), to_parent[2], to_child[2];
	pid_t child;
	char c;

	if (pipe(to_parent) != 0 || pipe(to_child) != 0)
		return 1;
	child = fork();
	semset_add(set, child == 0, -1);
	/* Each has taken its own before the other one goes on. */
	(void)!write(child == 0 ? to_parent[1] : to_child[1], "x", 1);
	(void)!read(child == 0 ? to_child[0] : to_parent[0], &c, 1);
	semset_add(set, child != 0, -1);
	waitpid(child, NULL, 0);
	semctl(set, 0, IPC_RMID);
	return 0;
}
