/* pause_until_killed.c - a child waits for a signal, of which none has a handler, until its parent kills it. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of pause_without_handler.c: how test suites keep a child
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	waitpid(child, NULL, 0);
	return 0;
}
