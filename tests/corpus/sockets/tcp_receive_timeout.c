/* tcp_receive_timeout.c - both ends wait for the other, one of them only for a while. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of tcp_both_receive
 */
#include "sockets.h"

static void receive_a_while(int fd)
{
	struct timeval limit = {60, 0};

	need(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), "a timeout");
	receive(fd);
}

int main(void)
{
	return talk(place_tcp(), receive_a_while, receive);
}
