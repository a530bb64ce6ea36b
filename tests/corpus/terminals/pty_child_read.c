/* pty_child_read.c - the parent reads what its child writes to the terminal, which takes its time. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of pty_child_waited
 */
#include "tests/corpus/terminals/terminal.h"

int main(void)
{
	char text[4096];
	int master;
	pid_t child = fork_at_terminal(&master);

	if (child == 0) {
		sleep(60);
		write_much(STDOUT_FILENO);
		_exit(0);
	}
	while (read(master, text, sizeof text) > 0)
		;
	return waitpid(child, NULL, 0) < 0;
}
