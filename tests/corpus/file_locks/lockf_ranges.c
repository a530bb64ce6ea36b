/* lockf_ranges.c - a parent holds one range, counted from where its descriptor stands, and waits for a child, which wants another. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: juicedata/juicefs#774
 */
#include "filelock.h"

/* lockf counts from the position of the descriptor. */
static void lock_at(off_t at)
{
	int fd = opened();

	if (lseek(fd, at, SEEK_SET) < 0 || lockf(fd, F_LOCK, 1) < 0)
		exit(1);
}

int main(void)
{
	int ready[2];
	char byte;

	lock_at(100);
	if (pipe(ready) < 0)
		return 1;
	if (fork() == 0) {
		lock_at(0);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		sleep(60);
		_exit(0);
	}
	if (read(ready[0], &byte, 1) != 1)
		return 1;
	if (fork() == 0) {
		lock_at(0);
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
