/* pipes.c - talk to another program over two pipes connected to its stdin and stdout. */
/* SPDX-License-Identifier: MIT */
/* Try: --delay 0.3 */
#include "../demo.h"

#include <sys/wait.h>

/*
 * Starts a program whose stdin is our stdout and whose stdout is our stdin.
 * Returns its pid.
 */
static pid_t spawn(const char *name, char *const argv[])
{
	int to_child[2], to_parent[2];
	pid_t pid;

	if (pipe(to_child) < 0 || pipe(to_parent) < 0)
		demo_die("pipe");
	pid = fork();
	if (pid < 0)
		demo_die("fork");
	if (pid == 0) {
		dup2(to_child[0], STDIN_FILENO);
		dup2(to_parent[1], STDOUT_FILENO);
	} else {
		dup2(to_parent[0], STDIN_FILENO);
		dup2(to_child[1], STDOUT_FILENO);
	}
	for (int i = 0; i < 2; i++) {
		close(to_child[i]);
		close(to_parent[i]);
	}
	if (pid == 0) {
		execv(demo_path(name), argv);
		perror(name);
		_exit(127);
	}
	return pid;
}

static void ask(int number, bool no_flush)
{
	char reply[256];

	printf("Hello %d from parent %d\n", number, getpid());
	if (!no_flush)
		fflush(stdout); /* a pipe is not a terminal: stdio would keep the line */
	if (!fgets(reply, sizeof reply, stdin))
		demo_die("no reply");
	reply[strcspn(reply, "\n")] = '\0';
	fprintf(stderr, "Parent got: \"%s\"\n", reply);
}

int main(int argc, char **argv)
{
	double delay = 3;
	bool no_flush = false;
	char delay_text[32];
	struct demo_option options[] = {
		{"--delay", "the other program's sleep before each step (3)", .seconds = &delay},
		{"--no-flush", "leave out the flush: a deadlock", .flag = &no_flush},
		{0},
	};
	pid_t child;

	demo_options(argc, argv, "", options);
	snprintf(delay_text, sizeof delay_text, "%f", delay);
	child = spawn("pipes-testchild", (char *[]){"pipes-testchild", "--delay", delay_text,
						 no_flush ? "--no-flush" : "--", "spam", NULL});
	ask(1, no_flush);
	ask(2, no_flush);
	waitpid(child, NULL, 0);
	return 0;
}
