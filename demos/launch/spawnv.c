/* spawnv.c - start ten programs at once without calling fork. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

static pid_t start(long number, bool detached)
{
	char text[24];
	posix_spawnattr_t attributes;
	pid_t pid;

	snprintf(text, sizeof text, "%ld", number);
	posix_spawnattr_init(&attributes);
	if (detached)
		posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
	errno = posix_spawn(&pid, demo_path("child"), NULL, &attributes,
		(char *[]){"child", text, NULL}, environ);
	if (errno)
		demo_die("posix_spawn");
	posix_spawnattr_destroy(&attributes);
	return pid;
}

int main(int argc, char **argv)
{
	const char *mode = "nowait";
	long count = 10;
	struct demo_option options[] = {
		{"--mode",
			"overlay: become the program; wait: one after the other; "
			"nowait: all at once (this is what happens by default); "
			"detach: in sessions of their own, never waited for",
			.text = &mode},
		{"--count", "how many (10)", .number = &count},
		{0},
	};

	demo_options(argc, argv, "", options);
	setlinebuf(stdout);
	if (!strcmp(mode, "overlay")) {
		execl(demo_path("child"), "child", "0", (char *)NULL);
		demo_die("child");
	}
	if (strcmp(mode, "wait") && strcmp(mode, "nowait") && strcmp(mode, "detach")) {
		demo_usage(stderr, argv[0], "", options);
		return 2;
	}
	for (long i = 0; i < count; i++) {
		pid_t pid = start(i, !strcmp(mode, "detach"));

		if (!strcmp(mode, "wait"))
			waitpid(pid, NULL, 0);
	}
	if (!strcmp(mode, "nowait"))
		while (wait(NULL) > 0)
			continue;
	printf("Main process exiting.\n");
	return 0;
}
