/* pipe-both-full.c - two processes write to each other until both pipes are full, and neither reads. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <sys/wait.h>

enum { SIZE = 200000 }; /* more than fits into a pipe */

static char data[SIZE];

static void send_all(int fd)
{
	for (size_t done = 0; done < SIZE;) {
		ssize_t n = write(fd, data + done, SIZE - done);

		if (n < 0)
			demo_die("write");
		done += (size_t)n;
	}
}

static void receive_all(int fd)
{
	for (size_t done = 0; done < SIZE;) {
		ssize_t n = read(fd, data, SIZE - done);

		if (n <= 0)
			demo_die("read");
		done += (size_t)n;
	}
}

int main(int argc, char **argv)
{
	bool fixed = false;
	struct demo_option options[] = {
		{"--fixed", "one of them reads first", .flag = &fixed},
		{0},
	};
	int there[2], back[2];
	pid_t pid;

	demo_options(argc, argv, "", options);
	if (pipe(there) < 0 || pipe(back) < 0)
		demo_die("pipe");
	pid = fork();
	if (pid < 0)
		demo_die("fork");
	if (pid == 0) {
		close(there[1]);
		close(back[0]);
		if (fixed)
			receive_all(there[0]);
		send_all(back[1]);
		if (!fixed)
			receive_all(there[0]);
		_exit(0);
	}
	close(there[0]);
	close(back[1]);
	send_all(there[1]);
	receive_all(back[0]);
	waitpid(pid, NULL, 0);
	printf("exchanged\n");
	return 0;
}
