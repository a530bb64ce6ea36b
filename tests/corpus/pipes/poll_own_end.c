/* poll_own_end.c - an event loop waits for the end of the output of a child that has ended, and has the write end itself. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock pipe-end-leak
 * misses: why   who wrote before is not known, for a pipe keeps no time of that: any loop with a pipe of its own looks the same
 * source: python/cpython#53110's kind, nodejs/node#12101
 */
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	char text[64];
	int fd[2];
	struct pollfd set;
	pid_t child;

	if (pipe(fd) != 0)
		return 1;
	child = fork();
	if (child == 0) {
		(void)!write(fd[1], "done\n", 5);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	set = (struct pollfd){.fd = fd[0], .events = POLLIN};
	while (poll(&set, 1, -1) == 1 && read(fd[0], text, sizeof text) > 0)
		;
	return 0;
}
