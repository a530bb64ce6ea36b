/* pair_receives_all.c - two processes each wait for the rest of a message of which the other one has sent a part. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: recv(2) with MSG_WAITALL, where the length that is sent and the one that is expected differ
 */
#include "sockets.h"

static void exchange(int fd)
{
	char message[8];

	(void)!send(fd, "half", 4, 0);
	(void)!recv(fd, message, sizeof message, MSG_WAITALL);
}

int main(void)
{
	int fd[2];

	need(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), "socketpair");
	if (fork() == 0) {
		close(fd[0]);
		exchange(fd[1]);
		_exit(0);
	}
	close(fd[1]);
	exchange(fd[0]);
	wait(NULL);
	return 0;
}
