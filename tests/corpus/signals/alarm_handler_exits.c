/* alarm_handler_exits.c - two threads block each other, and the handler of an armed alarm ends the program. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock
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
	abba();
	return 0;
}
