/* wait-before-read.c - a parent waits for a child to exit whose output it has not read. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <sys/wait.h>

enum { LINES = 20000 };

static size_t read_all(int fd)
{
	char buffer[4096];
	size_t all = 0;
	ssize_t n;

	while ((n = read(fd, buffer, sizeof buffer)) > 0)
		all += (size_t)n;
	return all;
}

int main(int argc, char **argv)
{
	bool fixed = false;
	struct demo_option options[] = {
		{"--fixed", "read first, then wait", .flag = &fixed},
		{0},
	};
	size_t all = 0;
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
		dup2(fd[1], 1);
		close(fd[1]);
		for (int i = 0; i < LINES; i++)
			printf("line %d\n", i);
		exit(0);
	}
	close(fd[1]);
	if (fixed)
		all = read_all(fd[0]);
	waitpid(pid, NULL, 0);
	if (!fixed)
		all = read_all(fd[0]);
	printf("%zu bytes\n", all);
	return 0;
}
