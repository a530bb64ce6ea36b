/* sigwait_ticks_abba.c - two threads take two locks in opposite order; a third one takes the ticks of a timer by sigwait. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * misses: why which thread will take the signal of a timer a snapshot does not say
 * source: timer threads as in collectd and snapper, beside locks in opposite order
 */
#include "tests/corpus/signals/abba.h"
#include "sigwait_ticks.h"

static void count(void)
{
	static int ticks;

	ticks++;
}

int main(void)
{
	start_ticks(count, 3);
	abba();
	return 1;
}
