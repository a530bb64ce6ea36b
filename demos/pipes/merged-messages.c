/* merged-messages.c - a slow reader gets several messages in one piece. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <sys/wait.h>

int main(int argc, char **argv)
{
	bool fixed = false;
	long count = 6;
	struct demo_option options[] = {
		{"--count", "number of messages", .number = &count},
		{"--fixed", "end each message with a newline and read lines", .flag = &fixed},
		{0},
	};
	char buffer[32];
	int fd[2];
	pid_t pid;

	demo_options(argc, argv, "", options);
	if (pipe(fd) < 0)
		demo_die("pipe");
	pid = fork();
	if (pid < 0)
		demo_die("fork");
	if (pid == 0) {
		close(fd[0]);
		for (long i = 0; i < count; i++) {
			int len = snprintf(
				buffer, sizeof buffer, "Spam %03ld%s", i, fixed ? "\n" : "");

			if (write(fd[1], buffer, (size_t)len) != len)
				demo_die("write");
		}
		_exit(0);
	}
	close(fd[1]);
	waitpid(pid, NULL, 0); /* a slow reader: everything is there before it looks */
	if (fixed) {
		FILE *from = fdopen(fd[0], "r");

		while (fgets(buffer, sizeof buffer, from))
			printf("got %s", buffer);
	} else {
		ssize_t n;

		while ((n = read(fd[0], buffer, sizeof buffer)) > 0)
			printf("got %.*s\n", (int)n, buffer);
	}
	return 0;
}
