/* pipe-leak.c - a reader keeps a write end open itself, and never sees end of file. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <sys/wait.h>

int main(int argc, char **argv)
{
	bool fixed = false;
	struct demo_option options[] = {
		{"--fixed", "close the end that is not used", .flag = &fixed},
		{0},
	};
	char buffer[64];
	ssize_t n;
	int fd[2];
	pid_t pid;

	demo_options(argc, argv, "", options);
	if (pipe(fd) < 0)
		demo_die("pipe");
	pid = fork();
	if (pid < 0)
		demo_die("fork");
	if (pid == 0) {
		close(fd[0]);
		if (write(fd[1], "all there is", 12) != 12)
			demo_die("write");
		_exit(0);
	}
	if (fixed)
		close(fd[1]);
	while ((n = read(fd[0], buffer, sizeof buffer)) > 0)
		printf("read %zd bytes\n", n);
	printf("end of file\n");
	waitpid(pid, NULL, 0);
	return 0;
}
