/* sem_named.c - the twin of sem_unlinked: the name is there still, and somebody else may post. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock
 * source: H-uru/Plasma#1603
 */
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	char name[64];
	sem_t *sem;
	pid_t child;

	snprintf(name, sizeof name, "/pptrace-corpus-%d", (int)getpid());
	sem = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
	if (sem == SEM_FAILED)
		return 1;
	child = fork();
	if (child == 0) {
		alarm(60);
		sem_wait(sem);
		sem_unlink(name);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	return 0;
}
