/* tcp_in_flight.c - a request is under way over a network that is down for a while. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of tcp_both_receive
 */
#include "sockets.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

static void set_network(int up)
{
	struct ifreq r = {.ifr_name = "lo", .ifr_flags = (short)(up ? IFF_UP | IFF_RUNNING : 0)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	need(ioctl(fd, SIOCSIFFLAGS, &r), "a network of one's own");
	close(fd);
}

static void ask(int fd)
{
	set_network(0);
	(void)!send(fd, "?", 1, 0);
	receive(fd);
}

int main(void)
{
	if (unshare(CLONE_NEWNET) != 0)
		need(unshare(CLONE_NEWUSER | CLONE_NEWNET), "a network of one's own");
	set_network(1);
	return talk(place_tcp(), ask, receive);
}
