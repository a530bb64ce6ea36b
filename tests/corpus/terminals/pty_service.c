/* pty_service.c - a log is read from the terminal of a service, which waits for clients. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of pty_no_prompt
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/corpus/terminals/terminal.h"

int main(void)
{
	char text[64];
	int master;
	pid_t child = fork_at_terminal(&master);

	if (child == 0) {
		int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (listen(listener, 1) == 0)
			(void)accept(listener, NULL, NULL);
		_exit(0);
	}
	while (read(master, text, sizeof text) > 0)
		;
	return waitpid(child, NULL, 0) < 0;
}
