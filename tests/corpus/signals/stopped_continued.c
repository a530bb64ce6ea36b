/* stopped_continued.c - the parent waits for the end of a child that is stopped, until another one continues it. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of stopped_child and stopped_owner
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	pid_t child = fork();

	if (child == 0) {
		raise(SIGSTOP);
		_exit(0);
	}
	if (fork() == 0) {
		sleep(60);
		kill(child, SIGCONT);
		_exit(0);
	}
	return waitpid(child, NULL, 0) < 0;
}
