/* filelock.h - processes that lock one file, for the corpus. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_FILELOCK_H
#define TESTS_CORPUS_FILELOCK_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

enum class { POSIX, OFD, FLOCK };

/* Opens the file anew: an open file description of its own. */
static inline int opened(void)
{
	int fd = open("file.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		exit(1);
	return fd;
}

/* Locks one byte (flock: the file), F_RDLCK or F_WRLCK; waits for it. */
static inline void lock_byte(int fd, enum class class, short type, off_t at)
{
	struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};

	if (class == FLOCK ? flock(fd, type == F_RDLCK ? LOCK_SH : LOCK_EX)
			   : fcntl(fd, class == OFD ? F_OFD_SETLKW : F_SETLKW, &l))
		exit(1);
}

/* Two processes share a lock. One wants it for itself, and waits until the other one, which rests, gives it back. */
static inline int upgrade(enum class class)
{
	int ready[2], fd;
	char byte;

	if (pipe(ready) < 0)
		return 1;
	if (fork() == 0) {
		lock_byte(opened(), class, F_RDLCK, 0);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		sleep(60);
		_exit(0);
	}
	if (read(ready[0], &byte, 1) != 1)
		return 1;
	fd = opened();
	lock_byte(fd, class, F_RDLCK, 0);
	lock_byte(fd, class, F_WRLCK, 0);
	return wait(NULL) < 0;
}

#endif
