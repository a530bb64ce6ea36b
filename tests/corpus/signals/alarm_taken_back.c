/* alarm_taken_back.c - two threads block each other, and the alarm that would have ended the program was cancelled. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: zoxy-io/zoxy#328, wiredtiger/wiredtiger#4481
 */
#include "abba.h"

static void late(int signo)
{
	(void)signo;
	_exit(3);
}

int main(void)
{
	signal(SIGALRM, late);
	alarm(60);
	alarm(0);
	abba();
	return 0;
}
