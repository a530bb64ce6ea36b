/* tcp6_both_receive.c - client and server of a TCP connection over IPv6 each wait for the other to speak first. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: MonetDB/MonetDB-old#376, distcc/distcc#302
 */
#include "sockets.h"

int main(void)
{
	return talk(place_tcp6(), receive, receive);
}
