/* taken.h - a pipe that a process has for itself, and another process, made before it, that may take it out of there. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_PIPES_TAKEN_H
#define TESTS_CORPUS_PIPES_TAKEN_H

#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline void take_and_write(pid_t pid, int end)
{
	int process = (int)syscall(SYS_pidfd_open, pid, 0);

	if (process >= 0)
		end = (int)syscall(SYS_pidfd_getfd, process, end, 0);
	_exit(write(end, "x", 1) != 1);
}

/* write_for: what the other process does after a minute, with this one's pid and the number of its write end. */
static inline int read_from_own_pipe(void (*write_for)(pid_t pid, int end))
{
	pid_t me = getpid();
	int ends[2];
	char byte;

	if (fork() == 0) {
		sleep(60);
		if (write_for)
			write_for(me, 4);
		_exit(0);
	}
	signal(SIGCHLD, SIG_IGN);
	if (pipe(ends) < 0 || dup2(ends[1], 4) < 0)
		exit(1);
	return read(ends[0], &byte, 1) != 1;
}

#endif
