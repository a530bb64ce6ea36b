/* pipes-testchild.c - the peer that the demo pipes talks to. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

int main(int argc, char **argv)
{
	double delay = 3;
	bool no_flush = false;
	struct demo_option options[] = {
		{"--delay", "sleep before each step (3)", .seconds = &delay},
		{"--no-flush", "leave out the flush", .flag = &no_flush},
		{0},
	};
	int first = demo_options(argc, argv, "[ARGUMENT]", options);

	fprintf(stderr, "Child %d of %d got arg: \"%s\"\n", getpid(), getppid(),
		first < argc ? argv[first] : "");
	for (int i = 0; i < 2; i++) {
		char line[256];

		demo_sleep(delay);
		/* The reply begins before the line is there: stdio keeps it until the flush. */
		printf("Child %d got: [", getpid());
		if (!fgets(line, sizeof line, stdin))
			return 1;
		line[strcspn(line, "\n")] = '\0';
		demo_sleep(delay);
		printf("%s]\n", line);
		if (!no_flush)
			fflush(stdout);
	}
	return 0;
}
