/* upgrade_both.c - two processes share an OFD lock, and each wants it for itself. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: NixOS/nix#6666, osquery/osquery#4721
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
	lock_byte(fd, OFD, F_RDLCK, 0);
	if (write(child ? down[1] : up[1], "", 1) != 1 ||
		read(child ? up[0] : down[0], &byte, 1) != 1)
		return 1;
	lock_byte(fd, OFD, F_WRLCK, 0);
	return child ? wait(NULL) < 0 : 0;
}
