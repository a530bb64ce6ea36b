/* tcp_side_kept.c - both ends wait for the other, and a child that inherited one of them will speak. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of tcp_both_receive
 */
#include "sockets.h"

static void receive_for_two(int fd)
{
	if (fork() == 0) {
		sleep(60);
		(void)!send(fd, "!", 1, 0);
		_exit(0);
	}
	receive(fd);
}

int main(void)
{
	return talk(place_tcp(), receive_for_two, receive);
}
