/* abstract_both_receive.c - client and server of an abstract Unix socket each wait for the other to speak first. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: zellij-org/zellij#5155
 */
#include "sockets.h"

int main(void)
{
	return talk(place_unix(1), receive, receive);
}
