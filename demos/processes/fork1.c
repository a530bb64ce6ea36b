/* fork1.c - fork a child for every line that is typed, until "q". */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

/* Nobody waits for the children: each stays a zombie until this program ends. */
int main(int argc, char **argv)
{
	struct demo_option options[] = {{0}};

	demo_options(argc, argv, "", options);
	setlinebuf(stdout); /* so that nothing is left in the buffer at fork and _exit */
	do {
		pid_t child = fork();

		if (child < 0)
			demo_die("fork");
		if (child == 0) {
			printf("Hello from child %d\n", getpid());
			_exit(0);
		}
		printf("Hello from parent %d %d\n", getpid(), child);
	} while (demo_next_line());
	return 0;
}
