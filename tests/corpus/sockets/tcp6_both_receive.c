/* tcp6_both_receive.c - the same over IPv6. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * misses: shim a library knows no other side of a socket
 * source: MonetDB/MonetDB-old#376, distcc/distcc#302
 */
#include "sockets.h"

int main(void)
{
	return talk(place_tcp6(), receive, receive);
}
