/* tcp_both_send.c - both ends of a TCP connection write into full buffers, and nobody reads. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: GerHobbelt/civet-webserver#1, bitcoin/bitcoin#27981
 */
#include "sockets.h"

int main(void)
{
	return talk(place_tcp(), pour, pour);
}
