/* stuck.c - a child waits for somebody to open the other side of a FIFO, its parent waits for it, and nobody comes. */
/* SPDX-License-Identifier: MIT */
/* Run: --timeout=5s */
#include "../demo.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int open_it(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | flags);

	if (fd < 0)
		demo_die(path);
	printf("open\n");
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	bool fixed = false;
	struct demo_option options[] = {
		{"--fixed", "open it without waiting", .flag = &fixed},
		{0},
	};
	char path[64];
	pid_t child;

	demo_options(argc, argv, "", options);
	snprintf(path, sizeof path, "/tmp/stuck-demo.%d", (int)getpid());
	if (mkfifo(path, 0600) < 0)
		demo_die(path);
	printf("waiting for a writer of %s\n", path);
	fflush(stdout);
	child = fork();
	if (child < 0)
		demo_die("fork");
	if (child == 0)
		return open_it(path, fixed ? O_NONBLOCK : 0);
	waitpid(child, NULL, 0);
	unlink(path);
	return 0;
}
