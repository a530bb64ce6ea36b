/* sigwait_reaps_all.c - two children have ended, for which one signal comes; a third one ends later. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of sigwait_merged.c
 */
#include "sigwait_children.h"

int main(void)
{
	(void)two_children(SIG_DFL);
	if (fork() == 0) {
		sleep(4);
		_exit(0);
	}
	return count_children(3, true);
}
