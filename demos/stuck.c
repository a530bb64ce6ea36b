/* stuck.c - a reader waits for somebody to open the other side of a FIFO, and nobody does. */
/* SPDX-License-Identifier: MIT */
#include "demo.h"

#include <fcntl.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
	bool fixed = false;
	struct demo_option options[] = {
		{"--fixed", "open it without waiting", .flag = &fixed},
		{0},
	};
	char path[64];
	int fd;

	demo_options(argc, argv, "", options);
	snprintf(path, sizeof path, "/tmp/stuck-demo.%d", (int)getpid());
	if (mkfifo(path, 0600) < 0)
		demo_die(path);
	printf("waiting for a writer of %s\n", path);
	fflush(stdout);
	fd = open(path, O_RDONLY | (fixed ? O_NONBLOCK : 0));
	if (fd < 0)
		demo_die(path);
	printf("open\n");
	close(fd);
	unlink(path);
	return 0;
}
