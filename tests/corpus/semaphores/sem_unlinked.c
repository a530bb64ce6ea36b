/* sem_unlinked.c - a named semaphore whose name is gone: nobody who has not got it already can post it. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: H-uru/Plasma#1603, asmvik/yabai#96 (a semaphore without a name)
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
	sem_unlink(name);
	child = fork();
	if (child == 0) {
		sem_wait(sem);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	return 0;
}
