/* fork-exec.c - fork, then run another program in the child, until "q". */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

int main(int argc, char **argv)
{
	struct demo_option options[] = {{0}};
	int n = 0;

	demo_options(argc, argv, "", options);
	setlinebuf(stdout);
	do {
		char number[16];
		pid_t child;

		snprintf(number, sizeof number, "%d", ++n);
		child = fork();
		if (child < 0)
			demo_die("fork");
		if (child == 0) {
			execl(demo_path("child"), "child", number, (char *)NULL);
			perror("child"); /* exec returns only if it failed */
			_exit(127);
		}
		printf("Child is %d\n", child);
	} while (demo_next_line());
	return 0;
}
