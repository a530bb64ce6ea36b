/* sigchld_reaped.c - a handler reaps all children that have ended, and the parent waits for one that sleeps. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of sigchld_merged.c
 */
#include "sigchld.h"

static void on_child(int signo)
{
	(void)signo;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		ended++;
}

int main(void)
{
	sigset_t before = two_children(on_child);

	if (fork() == 0) {
		sleep(60);
		_exit(0);
	}
	while (ended < 3)
		sigsuspend(&before);
	return 0;
}
