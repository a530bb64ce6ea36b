/* sigwait_term_read.c - a service waits for SIGTERM by sigwait, and a child reads what it will print then. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: daemons that are started as "daemon | logger", s6-log, multilog
 */
#include "sigwait_read.h"

int main(void)
{
	return print_at(SIGTERM);
}
