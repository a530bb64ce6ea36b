/* leak_sibling_polled.c - a reader polls a socketpair whose other side a second child has inherited by accident. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: pipe-end-leak stuck
 * source: golang/go#23019 (exec: Wait does not return while a grandchild has the pipe), ruby bugs 4040
 */
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	int fd[2];
	char byte;
	struct pollfd set;
	pid_t writer;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
		return 1;
	writer = fork();
	if (writer == 0) {
		(void)!write(fd[1], "x", 1);
		_exit(0);
	}
	if (fork() == 0) { /* knows nothing of it */
		close(fd[0]);
		pause();
		_exit(0);
	}
	close(fd[1]);
	waitpid(writer, NULL, 0);
	set = (struct pollfd){.fd = fd[0], .events = POLLIN};
	while (poll(&set, 1, -1) == 1 && read(fd[0], &byte, 1) == 1)
		;
	return 0;
}
