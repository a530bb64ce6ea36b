/* stopped_child.c - the parent waits for the end of a child that has stopped itself, and does not ask for stops. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: waitpid(2): without WUNTRACED a stop is not reported
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
	return waitpid(child, NULL, 0) < 0;
}
