/* crash.c - a child dereferences a null pointer. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <sys/wait.h>

static int first(const int *list)
{
	return list[0];
}

int main(int argc, char **argv)
{
	bool fixed = false;
	struct demo_option options[] = {
		{"--fixed", "check the pointer first", .flag = &fixed},
		{0},
	};
	const int *volatile list = NULL;
	int status;
	pid_t pid;

	demo_options(argc, argv, "", options);
	pid = fork();
	if (pid < 0)
		demo_die("fork");
	if (pid == 0) {
		if (fixed && !list)
			_exit(0);
		_exit(first(list));
	}
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		printf("child was killed by signal %d\n", WTERMSIG(status));
	else
		printf("child ended with status %d\n", WEXITSTATUS(status));
	return 0;
}
