/* tcp_both_poll.c - client and server each poll for what the other sends first. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: MonetDB/MonetDB-old#376, distcc/distcc#302
 */
#include "sockets.h"

#include <poll.h>

static void await(int fd)
{
	struct pollfd one = {.fd = fd, .events = POLLIN};

	(void)poll(&one, 1, -1);
}

int main(void)
{
	return talk(place_tcp(), await, await);
}
