/* terminal.h - children at the other side of a pseudo-terminal. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_TERMINAL_H
#define TESTS_CORPUS_TERMINAL_H

#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* As forkpty, for a terminal that passes every byte on as it is. */
static inline pid_t fork_at_terminal(int *ret_master)
{
	struct termios raw;
	pid_t pid;

	memset(&raw, 0, sizeof raw);
	cfmakeraw(&raw);
	raw.c_cflag |= CREAD;
	raw.c_cc[VMIN] = 1;
	pid = forkpty(ret_master, NULL, &raw, NULL);
	if (pid < 0) {
		puts("skip: a pseudo-terminal cannot be had here");
		fflush(stdout);
		_exit(0);
	}
	return pid;
}

/* Writes so much that no terminal takes it unread. */
static inline void write_much(int fd)
{
	char line[200];

	memset(line, '.', sizeof line);
	for (int i = 0; i < 2000; i++)
		if (write(fd, line, sizeof line) < 0)
			_exit(1);
}

#endif
