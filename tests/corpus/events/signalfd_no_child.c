/* signalfd_no_child.c - main joins a thread that polls a signalfd for SIGCHLD, though there is no child any more. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck deadlock
 * source: signalfd(2): a signal that was taken elsewhere does not come again
 */
#include <sys/wait.h>

#include "tests/corpus/events/signals.h"

int main(void)
{
	if (fork() == 0)
		_exit(0);
	(void)wait(NULL);
	return join_until(SIGCHLD);
}
