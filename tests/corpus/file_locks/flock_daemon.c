/* flock_daemon.c - a daemon that was forked with the lock's descriptor reads from its parent, which takes the lock once more. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: ceph/ceph-qa-suite#583, asmvik/skhd#83
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

int main(void)
{
	char path[] = "/tmp/pptrace-corpus-XXXXXX", byte;
	int fd = mkstemp(path), orders[2];

	if (fd < 0 || flock(fd, LOCK_EX) || pipe(orders))
		return 1;
	if (fork() == 0) {
		close(orders[1]);
		return read(orders[0], &byte, 1) < 0;
	}
	close(orders[0]);
	close(fd);
	fd = open(path, O_RDWR);
	unlink(path);
	flock(fd, LOCK_EX);
	return write(orders[1], "e", 1) < 0;
}
