/* abstract_both_receive.c - the same where the name is no file. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * misses: shim a library knows no other side of a socket
 * source: zellij-org/zellij#5155
 */
#include "sockets.h"

int main(void)
{
	return talk(place_unix(1), receive, receive);
}
