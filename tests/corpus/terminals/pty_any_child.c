/* pty_any_child.c - the parent waits for the end of any child; that writes more to its terminal than anybody reads. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: as pty_child_waited, with wait(2)
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
	return wait(NULL) < 0;
}
