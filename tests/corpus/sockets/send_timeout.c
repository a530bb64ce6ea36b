/* send_timeout.c - both ends of a connection write into full buffers, and a timeout ends each write. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: faasm/faabric#425, rust-lang/miri#5042
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static void pour(int end)
{
	struct timeval limit = {60, 0};
	static char block[4096];

	setsockopt(end, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	while (send(end, block, sizeof block, 0) > 0)
		;
}

int main(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		exit(1);
	if (fork() == 0) {
		close(ends[0]);
		pour(ends[1]);
		_exit(0);
	}
	close(ends[1]);
	pour(ends[0]);
	wait(NULL);
	return 0;
}
