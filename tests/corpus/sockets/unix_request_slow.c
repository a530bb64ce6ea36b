/* unix_request_slow.c - a client waits for a server that takes its time. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of unix_both_receive
 */
#include "sockets.h"

static void ask(int fd)
{
	(void)!send(fd, "?", 1, 0);
	receive(fd);
}

static void answer(int fd)
{
	receive(fd);
	sleep(60);
}

int main(void)
{
	return talk(place_unix(0), ask, answer);
}
