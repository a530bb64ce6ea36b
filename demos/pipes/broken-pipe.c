/* broken-pipe.c - a reader leaves early, and SIGPIPE ends the writer. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <sys/wait.h>

int main(int argc, char **argv)
{
	bool fixed = false;
	struct demo_option options[] = {
		{"--fixed", "read to the end", .flag = &fixed},
		{0},
	};
	char buffer[4096];
	int fd[2], status;
	pid_t pid;

	demo_options(argc, argv, "", options);
	if (pipe(fd) < 0)
		demo_die("pipe");
	pid = fork();
	if (pid < 0)
		demo_die("fork");
	if (pid == 0) {
		close(fd[0]);
		memset(buffer, 'x', sizeof buffer);
		for (int i = 0; i < 100; i++)
			if (write(fd[1], buffer, sizeof buffer) < 0)
				demo_die("write");
		_exit(0);
	}
	close(fd[1]);
	if (read(fd[0], buffer, 10) != 10)
		demo_die("read");
	while (fixed && read(fd[0], buffer, sizeof buffer) > 0)
		continue;
	close(fd[0]);
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		printf("the writer was killed by signal %d\n", WTERMSIG(status));
	else
		printf("the writer ended with status %d\n", WEXITSTATUS(status));
	return 0;
}
