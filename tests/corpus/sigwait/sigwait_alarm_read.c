/* sigwait_alarm_read.c - a child reads what its parent will print at SIGALRM, for which nobody has set an alarm. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: the hanging twin of sigwait_term_read.c: a timer that is armed on one path alone
 */
#include "sigwait_read.h"

int main(void)
{
	return print_at(SIGALRM);
}
