/* launchmodes.c - one interface, and five ways to start a program behind it. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <libgen.h>
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

/* A way to start ./child with one argument and wait for it. */
struct launcher {
	const char *name;
	void (*announce)(const struct launcher *self, const char *argument);
	void (*run)(const char *argument);
};

static void announce(const struct launcher *self, const char *argument)
{
	printf("%s => child %s\n", self->name, argument);
}

static void announce_nothing(const struct launcher *self, const char *argument)
{
	(void)self;
	(void)argument;
}

static void run_system(const char *argument)
{
	char command[64];

	snprintf(command, sizeof command, "./child %s", argument);
	if (system(command) != 0)
		fprintf(stderr, "%s failed\n", command);
}

static void run_popen(const char *argument)
{
	char command[64], line[256];
	FILE *pipe;

	snprintf(command, sizeof command, "./child %s", argument);
	pipe = popen(command, "r");
	if (!pipe)
		demo_die("popen");
	while (fgets(line, sizeof line, pipe))
		fputs(line, stdout);
	pclose(pipe);
}

static void run_fork(const char *argument)
{
	pid_t pid = fork();

	if (pid < 0)
		demo_die("fork");
	if (pid == 0) {
		execl("./child", "child", argument, (char *)NULL);
		perror("child");
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static void run_spawn(const char *argument)
{
	pid_t pid;

	errno = posix_spawn(
		&pid, "./child", NULL, NULL, (char *[]){"child", (char *)argument, NULL}, environ);
	if (errno)
		demo_die("posix_spawn");
	waitpid(pid, NULL, 0);
}

static const struct launcher launchers[] = {
	{"system", announce, run_system},
	{"popen", announce, run_popen},
	{"fork", announce, run_fork},
	{"spawn", announce, run_spawn},
	{"quiet", announce_nothing, run_fork},
};

int main(int argc, char **argv)
{
	struct demo_option options[] = {{0}};
	char folder[PATH_MAX];

	demo_options(argc, argv, "", options);
	setlinebuf(stdout);
	snprintf(folder, sizeof folder, "%s", demo_path("child"));
	if (chdir(dirname(folder)) < 0)
		demo_die(folder);
	for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++) {
		launchers[i].announce(&launchers[i], launchers[i].name);
		launchers[i].run(launchers[i].name);
	}
	return 0;
}
