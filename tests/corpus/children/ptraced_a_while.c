/* ptraced_a_while.c - a parent looks for a while at a thread of its child that it has stopped with ptrace. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of ptraced_waited.c
 */
#include "tracer.h"

int main(void)
{
	pid_t child = stop_worker();

	sleep(60);
	kill(child, SIGKILL);
	return waitpid(child, NULL, 0) != child;
}
