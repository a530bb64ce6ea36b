/* sibling.h - a child that reads from a pipe whose write end its parent keeps, and another one beside it. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_SIBLING_H
#define TESTS_CORPUS_SIBLING_H

#include <sys/wait.h>
#include <unistd.h>

static pid_t first_child;

/* Returns the child that reads, in the parent; 0 in the other child, which has no end of the pipe. */
static pid_t sleeper_beside_reader(void)
{
	int ends[2];
	char c;

	if (pipe(ends))
		_exit(1);
	first_child = fork();
	if (first_child == 0) {
		(void)close(ends[1]);
		_exit(read(ends[0], &c, 1) != 0);
	}
	(void)close(ends[0]);
	if (fork() == 0) {
		(void)close(ends[1]);
		return 0;
	}
	return first_child;
}

static int finish(pid_t reader)
{
	int status;

	while (waitpid(reader, &status, 0) == reader || wait(NULL) > 0)
		;
	return 0;
}

#endif
