/* sigchld_of_reader.c - a parent waits for SIGCHLD in a signalfd and keeps the pipe open from which its child reads. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck deadlock
 * source: OpenRC/openrc#895
 */
#include "sigchld_of_reader.h"

void child(const int pipe[2])
{
	char c;

	close(pipe[1]);
	(void)!read(pipe[0], &c, 1);
}
