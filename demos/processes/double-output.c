/* double-output.c - output buffered at fork is written by both parent and child. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <sys/wait.h>

int main(int argc, char **argv)
{
	bool fixed = false;
	struct demo_option options[] = {
		{"--fixed", "flush before the fork", .flag = &fixed},
		{0},
	};
	pid_t pid;

	demo_options(argc, argv, "", options);
	/* To a terminal this line is written at once; to a pipe or file it waits in the buffer. */
	printf("the result is 42\n");
	if (fixed)
		fflush(stdout);
	pid = fork();
	if (pid < 0)
		demo_die("fork");
	if (pid == 0)
		exit(0); /* writes what is in the buffer, which is a copy */
	waitpid(pid, NULL, 0);
	return 0;
}
