/* zombies.c - children end one after the other, and nobody waits for them. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <sys/wait.h>

int main(int argc, char **argv)
{
	bool fixed = false;
	long count = 3;
	double delay = 1.2;
	struct demo_option options[] = {
		{"--count", "number of children", .number = &count},
		{"--delay", "seconds that the parent lives on", .seconds = &delay},
		{"--fixed", "wait for every child", .flag = &fixed},
		{0},
	};

	demo_options(argc, argv, "", options);
	for (long i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid < 0)
			demo_die("fork");
		if (pid == 0)
			_exit(0);
		if (fixed)
			waitpid(pid, NULL, 0);
	}
	demo_sleep(delay);
	printf("%ld children have ended\n", count);
	return 0;
}
