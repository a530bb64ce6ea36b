/* testexit_fork.c - a child that changes its own copy of a variable and ends with it, until "q". */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <sys/wait.h>

static int exit_status;

static void child(void)
{
	exit_status++; /* in the child's memory: the parent's stays 0 */
	printf("Hello from child %d %d\n", getpid(), exit_status);
	_exit(exit_status);
}

int main(int argc, char **argv)
{
	struct demo_option options[] = {{0}};

	demo_options(argc, argv, "", options);
	setlinebuf(stdout);
	do {
		int status = 0;
		pid_t pid = fork();

		if (pid < 0)
			demo_die("fork");
		if (pid == 0)
			child();
		pid = wait(&status);
		printf("Parent got %d %d %d\n", pid, status, status >> 8);
	} while (demo_next_line());
	return 0;
}
