/* missing-exit.c - a child forgets to exit, goes on in its parent's loop, and forks children of its own. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <sys/wait.h>

int main(int argc, char **argv)
{
	bool fixed = false;
	long count = 4;
	double delay = 0.1;
	struct demo_option options[] = {
		{"--count", "children that there should be", .number = &count},
		{"--delay", "seconds that each child works", .seconds = &delay},
		{"--fixed", "end the child after its work", .flag = &fixed},
		{0},
	};

	demo_options(argc, argv, "", options);
	if (count > 8)
		count = 8; /* without the exit there are 2 to the power of count processes */
	for (long i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid < 0)
			demo_die("fork");
		if (pid == 0) {
			printf("child %ld works\n", i);
			fflush(stdout);
			demo_sleep(delay);
			if (fixed)
				_exit(0);
		}
	}
	if (fixed)
		while (wait(NULL) > 0)
			continue;
	return 0;
}
