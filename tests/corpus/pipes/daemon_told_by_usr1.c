/* daemon_told_by_usr1.c - a daemon closes the pipe to whose end its starter reads when SIGUSR1 tells it to. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of leak_daemon_pauses.c
 */
#include "daemon.h"

int main(void)
{
	return read_to_end(let_go);
}
