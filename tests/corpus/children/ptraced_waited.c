/* ptraced_waited.c - a parent waits for the end of its child, of which it has itself stopped a thread with ptrace. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * misses: shim records no wait of who is stopped
 * source: ptrace(2): waitpid without __WALL, and a tracee that nobody continues
 */
#include "tracer.h"

int main(void)
{
	pid_t child = stop_worker();

	return waitpid(child, NULL, 0) != child;
}
