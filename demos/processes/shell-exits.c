/* shell-exits.c - what system() and popen() report about how a program ended. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <libgen.h>

static void by_system(const char *command)
{
	int status = system(command);

	if (status < 0)
		demo_die("system");
	printf("%d %d\n", status, status >> 8);
}

static void by_popen(const char *command)
{
	char line[256];
	int status;
	FILE *pipe = popen(command, "r");

	if (!pipe)
		demo_die("popen");
	while (fgets(line, sizeof line, pipe))
		fputs(line, stdout);
	status = pclose(pipe);
	printf("%d %d\n", status, status >> 8);
}

int main(int argc, char **argv)
{
	struct demo_option options[] = {{0}};
	char folder[PATH_MAX];

	demo_options(argc, argv, "", options);
	setlinebuf(stdout);
	/* The commands are found beside this program, whatever its folder is called. */
	snprintf(folder, sizeof folder, "%s", demo_path("child"));
	if (chdir(dirname(folder)) < 0)
		demo_die(folder);
	by_system("./testexit_sys");
	by_system("./testexit_os");
	by_popen("./testexit_sys");
	by_popen("./testexit_os");
	return 0;
}
