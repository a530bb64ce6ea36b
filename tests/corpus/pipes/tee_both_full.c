/* tee_both_full.c - a process duplicates bytes into a full pipe, whose reader waits for what comes after that. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: tee(2); the hanging twin of splice_slow.c, which has the write end of its own source open, too
 */
#include <fcntl.h>
#include <unistd.h>

int main(void)
{
	static char bytes[4096];
	int from[2], to[2], after[2];

	if (pipe(from) < 0 || pipe(to) < 0 || pipe(after) < 0)
		return 1;
	while (fcntl(to[1], F_SETFL, O_NONBLOCK) == 0 && write(to[1], bytes, sizeof bytes) > 0)
		;
	fcntl(to[1], F_SETFL, 0);
	(void)!write(from[1], bytes, sizeof bytes);
	if (!fork()) {
		close(to[1]);
		close(after[1]);
		(void)!read(after[0], bytes, 1);
		_exit(0);
	}
	close(to[0]);
	close(after[0]);
	(void)!tee(from[0], to[1], sizeof bytes, 0);
	(void)!write(after[1], bytes, 1);
	return 0;
}
