/* sigchld_by_fd.h - a parent takes SIGCHLD from a signalfd; two of its children end before it reads. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_SIGNALS_SIGCHLD_BY_FD_H
#define TESTS_CORPUS_SIGNALS_SIGCHLD_BY_FD_H

#include <sys/signalfd.h>

#include "sigchld.h"

/* Counts children until that many have ended; reap_all: all that have, for each signal, else one. */
static inline int count_children(int n, bool reap_all)
{
	struct signalfd_siginfo info;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	while (ended < n) {
		if (read(fd, &info, sizeof info) != sizeof info)
			return 1;
		reap(reap_all);
	}
	return 0;
}

#endif
