/* pty_any_child_read.c - the parent waits for the end of any child; a thread of it will read what that writes to its terminal. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of pty_any_child
 */
#include <pthread.h>

#include "tests/corpus/terminals/terminal.h"

static void *read_late(void *arg)
{
	char text[4096];

	sleep(60);
	while (read(*(int *)arg, text, sizeof text) > 0)
		;
	return NULL;
}

int main(void)
{
	int master;
	pid_t child = fork_at_terminal(&master);
	pthread_t t;

	if (child == 0) {
		write_much(STDOUT_FILENO);
		_exit(0);
	}
	pthread_create(&t, NULL, read_late, &master);
	return wait(NULL) < 0;
}
