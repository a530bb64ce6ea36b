/* orphans.c - a process ends before its children do. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <sys/wait.h>

int main(int argc, char **argv)
{
	bool fixed = false;
	long count = 3;
	double delay = 0.3;
	struct demo_option options[] = {
		{"--count", "number of children", .number = &count},
		{"--delay", "seconds that each child lives", .seconds = &delay},
		{"--fixed", "wait for the children", .flag = &fixed},
		{0},
	};

	demo_options(argc, argv, "", options);
	for (long i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid < 0)
			demo_die("fork");
		if (pid == 0) {
			demo_sleep(delay);
			_exit(0);
		}
	}
	if (fixed)
		while (wait(NULL) > 0)
			continue;
	printf("the parent ends\n");
	return 0;
}
