/* pty_child_waited.c - the parent waits for the end of a child that writes more to its terminal than anybody reads. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: ThomasRooney/gexpect#25, peplin/pygatt#291, pexpect/pexpect#545
 */
#include "tests/corpus/terminals/terminal.h"

int main(void)
{
	int master;
	pid_t child = fork_at_terminal(&master);

	if (child == 0) {
		write_much(STDOUT_FILENO);
		_exit(0);
	}
	return waitpid(child, NULL, 0) < 0;
}
