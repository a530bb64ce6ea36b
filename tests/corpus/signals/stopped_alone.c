/* stopped_alone.c - a job that somebody has stopped, and for which nobody waits. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * all:    stuck
 * misses: shim records no wait of who is stopped
 * source: the healthy twin of stopped_child: Ctrl-Z
 */
#include <signal.h>

int main(void)
{
	raise(SIGSTOP);
	return 0;
}
