/* sigchld_reaped_by_fd.c - a parent reaps all that have ended whenever its signalfd tells of a child, and waits for one that sleeps. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of sigchld_merged_by_fd.c
 */
#include "sigchld_by_fd.h"

int main(void)
{
	(void)two_children(SIG_DFL);
	if (fork() == 0) {
		sleep(60);
		_exit(0);
	}
	return count_children(3, true);
}
