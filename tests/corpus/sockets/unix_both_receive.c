/* unix_both_receive.c - client and server of a Unix socket with a path each wait for the other to speak first. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: zellij-org/zellij#5155
 */
#include "sockets.h"

int main(void)
{
	return talk(place_unix(0), receive, receive);
}
