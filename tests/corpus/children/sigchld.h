/* sigchld.h - children that end while SIGCHLD is blocked, for a handler that counts those it reaps. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_SIGNALS_SIGCHLD_H
#define TESTS_CORPUS_SIGNALS_SIGCHLD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t ended;

/* Blocks SIGCHLD, and lets two children end: one signal comes for both. Returns the mask from before. */
static sigset_t two_children(void (*on_child)(int signo))
{
	sigset_t set, before;
	siginfo_t info;

	signal(SIGCHLD, on_child);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &before);
	for (int i = 0; i < 2; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
	}
	return before;
}

/* Reaps a child that has ended, or all of those, and counts them. */
static inline void reap(bool all)
{
	while (waitpid(-1, NULL, WNOHANG) > 0) {
		ended++;
		if (!all)
			break;
	}
}

#endif
