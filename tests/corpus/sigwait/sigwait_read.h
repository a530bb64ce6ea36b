/* sigwait_read.h - a child reads what its parent prints, which takes a signal by sigwait. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_SIGWAIT_SIGWAIT_READ_H
#define TESTS_CORPUS_SIGWAIT_SIGWAIT_READ_H

#include <signal.h>
#include <unistd.h>

static inline int print_at(int signo)
{
	char line[64];
	sigset_t set;
	int fd[2];

	if (pipe(fd) < 0)
		return 1;
	if (fork() == 0) {
		close(fd[1]);
		while (read(fd[0], line, sizeof line) > 0)
			continue;
		_exit(0);
	}
	close(fd[0]);
	sigemptyset(&set);
	sigaddset(&set, signo);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (sigwait(&set, &signo) != 0)
		return 1;
	return write(fd[1], "told\n", 5) < 0;
}

#endif
