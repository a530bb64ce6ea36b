/* splice_both_full.c - a process moves what its child writes into the pipe from which the child reads, which the child does only when it has written all. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: aoh/radamsa#43, with splice in place of read and write
 */
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	static char bytes[4096];
	int from[2], to[2];
	pid_t child;

	if (pipe(from) || pipe(to))
		return 1;
	child = fork();
	if (!child) {
		close(from[0]);
		close(to[1]);
		for (int i = 0; i < 200; i++)
			if (write(from[1], bytes, sizeof bytes) < 0)
				return 1;
		close(from[1]);
		while (read(to[0], bytes, sizeof bytes) > 0)
			;
		return 0;
	}
	close(from[1]);
	close(to[0]);
	while (splice(from[0], NULL, to[1], NULL, 65536, 0) > 0)
		;
	close(to[1]);
	waitpid(child, NULL, 0);
	return 0;
}
