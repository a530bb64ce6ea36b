/* traced_sleeper.c - a tracer waits for the end of its child, which takes its time. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: ptrace(2); the healthy twin of traced_reader.c
 */
#include "traced_reader.h"

void child(const int pipe[2])
{
	close(pipe[1]);
	sleep(60);
}
