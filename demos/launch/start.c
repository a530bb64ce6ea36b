/* start.c - start five programs: who waits for whom. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <libgen.h>

/* Blocks until the program has ended. */
static void by_system(const char *command)
{
	if (system(command) != 0)
		fprintf(stderr, "%s failed\n", command);
}

/* Blocks while it reads what the program prints. */
static void by_popen(const char *command)
{
	char line[256];
	FILE *pipe = popen(command, "r");

	if (!pipe)
		demo_die("popen");
	while (fgets(line, sizeof line, pipe))
		fputs(line, stdout);
	pclose(pipe);
}

/* Does not wait at all: the program gets a session of its own. */
static void detached(const char *number)
{
	pid_t pid = fork();

	if (pid < 0)
		demo_die("fork");
	if (pid == 0) {
		setsid();
		execl("./child", "child", number, (char *)NULL);
		perror("child");
		_exit(127);
	}
}

int main(int argc, char **argv)
{
	const char *how = "system";
	long count = 5;
	char folder[PATH_MAX];
	struct demo_option options[] = {
		{"--how", "system, popen or detach (system)", .text = &how},
		{"--count", "how many (5)", .number = &count},
		{0},
	};

	demo_options(argc, argv, "", options);
	setlinebuf(stdout);
	if (strcmp(how, "system") && strcmp(how, "popen") && strcmp(how, "detach")) {
		demo_usage(stderr, argv[0], "", options);
		return 2;
	}
	/* The program is found beside this one, whatever the folder is called. */
	snprintf(folder, sizeof folder, "%s", demo_path("child"));
	if (chdir(dirname(folder)) < 0)
		demo_die(folder);
	for (long i = 0; i < count; i++) {
		char number[24], command[64];

		snprintf(number, sizeof number, "%ld", i);
		snprintf(command, sizeof command, "./child %ld", i);
		if (!strcmp(how, "system"))
			by_system(command);
		else if (!strcmp(how, "popen"))
			by_popen(command);
		else
			detached(number);
	}
	printf("Main process exiting.\n");
	return 0;
}
