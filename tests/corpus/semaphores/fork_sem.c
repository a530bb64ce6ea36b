/* fork_sem.c - a child wants a semaphore, used as a lock, that another thread of its parent held at the fork. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: python/cpython#50970 (bpo-6721), whose locks are semaphores
 */
#include "fork_sem.h"

int main(void)
{
	pid_t child = fork_while_held();

	if (child == 0) {
		sem_wait(&sem);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	return 0;
}
