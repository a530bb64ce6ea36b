/* fork-count.c - ten children count side by side and outlive their parent. */
/* SPDX-License-Identifier: MIT */
/* Try: --delay 0.2 */
#include "../demo.h"

static void counter(long count, double delay)
{
	for (long i = 0; i < count; i++) {
		demo_sleep(delay);
		printf("[%d] => %ld\n", getpid(), i);
	}
}

int main(int argc, char **argv)
{
	double delay = 1;
	long count = 10, children = 10;
	struct demo_option options[] = {
		{"--delay", "between two numbers (1)", .seconds = &delay},
		{"--count", "numbers that each child counts to (10)", .number = &count},
		{"--children", "how many count (10)", .number = &children},
		{0},
	};

	demo_options(argc, argv, "", options);
	setlinebuf(stdout);
	for (long i = 0; i < children; i++) {
		pid_t child = fork();

		if (child < 0)
			demo_die("fork");
		if (child == 0) {
			counter(count, delay);
			_exit(0);
		}
		printf("Process %d spawned\n", child);
	}
	printf("Main process exiting.\n");
	return 0; /* without waiting: the children become orphans */
}
