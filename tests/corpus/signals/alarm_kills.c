/* alarm_kills.c - two threads block each other, and an alarm will kill the program. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: zoxy-io/zoxy#328, wiredtiger/wiredtiger#4481
 */
#include "abba.h"

int main(void)
{
	alarm(60);
	abba();
	return 0;
}
