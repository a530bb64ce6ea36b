/* ofd_crossed.c - two processes have a byte of a file each and want the other one: which lock each waits for is no matter of chance. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: juicedata/juicefs#774
 */
#include "filelock.h"

int main(void)
{
	int up[2], down[2];
	pid_t child;
	char byte;
	int fd;

	if (pipe(up) < 0 || pipe(down) < 0)
		return 1;
	child = fork();
	fd = opened();
	lock_byte(fd, OFD, F_WRLCK, child ? 0 : 1);
	if (write(child ? down[1] : up[1], "", 1) != 1 ||
		read(child ? up[0] : down[0], &byte, 1) != 1)
		return 1;
	lock_byte(fd, OFD, F_WRLCK, child ? 1 : 0);
	return child ? wait(NULL) < 0 : 0;
}
