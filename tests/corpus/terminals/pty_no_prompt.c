/* pty_no_prompt.c - the parent waits for a prompt on the terminal, the child for an answer without having asked. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: pexpect/pexpect#601, pexpect/pexpect#756
 */
#include "tests/corpus/terminals/terminal.h"

int main(void)
{
	char text[64];
	int master;
	pid_t child = fork_at_terminal(&master);

	if (child == 0) {
		(void)!read(STDIN_FILENO, text, sizeof text);
		_exit(0);
	}
	(void)!read(master, text, sizeof text);
	(void)!write(master, "answer\n", 7);
	return waitpid(child, NULL, 0) < 0;
}
