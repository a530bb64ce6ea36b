/* splice_slow.c - a process moves what its child writes into another pipe, and the child has something else to do first. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of splice_both_full.c
 */
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	int from[2], to[2];
	pid_t child;

	if (pipe(from) || pipe(to))
		return 1;
	child = fork();
	if (!child) {
		close(from[0]);
		close(to[0]);
		close(to[1]);
		sleep(60);
		return write(from[1], "x", 1) != 1;
	}
	close(from[1]);
	while (splice(from[0], NULL, to[1], NULL, 65536, 0) > 0)
		;
	waitpid(child, NULL, 0);
	return 0;
}
