/* stopped_owner.c - a child has stopped itself while it had a lock on a file that its parent wants. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: stopped jobs that hold the lock of a package manager, as people report them
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

int main(void)
{
	int mine = fileno(tmpfile()), fd[2];
	char path[64], c;

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", mine);
	if (pipe(fd) != 0)
		return 1;
	if (fork() == 0) {
		(void)flock(open(path, O_RDWR), LOCK_EX);
		(void)write(fd[1], "x", 1);
		raise(SIGSTOP);
		_exit(0);
	}
	(void)read(fd[0], &c, 1);
	return flock(mine, LOCK_EX);
}
