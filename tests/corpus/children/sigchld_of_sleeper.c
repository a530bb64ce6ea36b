/* sigchld_of_sleeper.c - a parent waits for SIGCHLD in a signalfd; its child takes its time. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: OpenRC/openrc#895; the healthy twin of sigchld_of_reader.c
 */
#include "sigchld_of_reader.h"

void child(const int pipe[2])
{
	close(pipe[1]);
	sleep(60);
}
