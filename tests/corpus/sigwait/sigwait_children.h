/* sigwait_children.h - a parent takes SIGCHLD by sigwait; two of its children end before it does. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_SIGWAIT_SIGWAIT_CHILDREN_H
#define TESTS_CORPUS_SIGWAIT_SIGWAIT_CHILDREN_H

#include "tests/corpus/children/sigchld.h"

/* Counts children until that many have ended; reap_all: all that have, for each signal, else one. */
static inline int count_children(int n, bool reap_all)
{
	sigset_t set;
	int signo;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	while (ended < n) {
		if (sigwait(&set, &signo) != 0)
			return 1;
		reap(reap_all);
	}
	return 0;
}

#endif
