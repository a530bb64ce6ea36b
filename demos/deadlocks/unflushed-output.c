/* unflushed-output.c - a request stays in the buffer of the process that waits for the reply. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <sys/wait.h>

static void answer(int in, int out)
{
	FILE *from = fdopen(in, "r"), *to = fdopen(out, "w");
	char line[80];

	while (fgets(line, sizeof line, from)) {
		fprintf(to, "you said: %s", line);
		fflush(to);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	bool fixed = false;
	struct demo_option options[] = {
		{"--fixed", "flush the question", .flag = &fixed},
		{0},
	};
	int there[2], back[2];
	char line[80];
	FILE *to, *from;
	pid_t pid;

	demo_options(argc, argv, "", options);
	if (pipe(there) < 0 || pipe(back) < 0)
		demo_die("pipe");
	pid = fork();
	if (pid < 0)
		demo_die("fork");
	if (pid == 0) {
		close(there[1]);
		close(back[0]);
		answer(there[0], back[1]);
	}
	close(there[0]);
	close(back[1]);
	to = fdopen(there[1], "w");
	from = fdopen(back[0], "r");
	fprintf(to, "anybody there?\n");
	if (fixed)
		fflush(to);
	if (fgets(line, sizeof line, from))
		printf("%s", line);
	fclose(to);
	waitpid(pid, NULL, 0);
	return 0;
}
