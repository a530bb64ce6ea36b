/* sigchld_merged.c - two children end while SIGCHLD is blocked: one signal comes, and the parent waits for the second. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: the glibc manual, "Merged Signals"; ruby/ruby bug 15661's kind
 */
#include "sigchld.h"

static void on_child(int signo)
{
	(void)signo;
	waitpid(-1, NULL, 0);
	ended++;
}

int main(void)
{
	sigset_t before = two_children(on_child);

	while (ended < 2)
		sigsuspend(&before);
	return 0;
}
