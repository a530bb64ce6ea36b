/* execed.h - a child locks a file and executes a program that reads a pipe of its parent, which wants the lock. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_EXECED_H
#define TESTS_CORPUS_EXECED_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static inline void execed_child(int file, const int to_child[2])
{
	if (flock(file, LOCK_EX) != 0 || dup2(to_child[0], STDIN_FILENO) < 0)
		exit(1);
	close(to_child[0]);
	close(to_child[1]);
	usleep(300000);
	execlp("cat", "cat", (char *)NULL);
	exit(1);
}

/* flags: of the child's descriptor. The lock is given up by the end of it, or of cat. */
static inline int execed_run(int flags)
{
	char path[] = "/tmp/pptrace-corpus-XXXXXX";
	int to_child[2], file = mkstemp(path), other = open(path, O_RDWR | flags);

	if (file < 0 || other < 0 || pipe(to_child) != 0)
		return 1;
	unlink(path);
	switch (fork()) {
	case -1:
		return 1;
	case 0:
		close(file);
		execed_child(other, to_child);
	}
	close(other);
	close(to_child[0]);
	usleep(150000);
	if (flock(file, LOCK_EX) != 0)
		return 1;
	sleep(4);
	close(to_child[1]);
	wait(NULL);
	return 0;
}

#endif
