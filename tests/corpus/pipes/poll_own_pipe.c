/* poll_own_pipe.c - an event loop at rest polls the pipe with which it would wake itself; a child has inherited it and gone. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck pipe-end-leak
 * all:    stuck
 * source: the healthy twin of poll_own_end.c: every loop with a self-pipe
 */
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	int fd[2];
	struct pollfd set;
	pid_t child;

	if (pipe(fd) != 0)
		return 1;
	child = fork();
	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
	set = (struct pollfd){.fd = fd[0], .events = POLLIN};
	return poll(&set, 1, -1) < 0;
}
