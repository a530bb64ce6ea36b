/* tcp_user_timeout.c - both ends write into full buffers, and the kernel gives up one of them after a while. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of tcp_both_send
 */
#include "sockets.h"

static void pour_a_while(int fd)
{
	unsigned limit = 60000;

	need(setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof limit), "a timeout");
	pour(fd);
}

int main(void)
{
	return talk(place_tcp(), pour_a_while, pour);
}
