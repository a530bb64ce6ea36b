/* traced_reader.c - a tracer waits for the end of its child, which reads from a pipe that the tracer keeps open. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: ptrace(2), waitpid(2)
 */
#include "traced_reader.h"

void child(const int pipe[2])
{
	char c;

	close(pipe[1]);
	(void)!read(pipe[0], &c, 1);
}
