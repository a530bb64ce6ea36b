/* unix_both_send.c - both ends of a Unix connection write into full buffers, and nobody reads. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: mattgodbolt/xania#102
 */
#include "sockets.h"

int main(void)
{
	return talk(place_unix(0), pour, pour);
}
