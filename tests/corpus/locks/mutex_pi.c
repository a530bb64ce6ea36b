/* mutex_pi.c - two threads take two mutexes with priority inheritance in opposite orders: the kernel refuses the second. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: google/sanitizers#492, with the mutexes that ros-controls/realtime_tools#197 adds
 */
#include "tests/corpus/signals/abba.h"

int main(void)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&left, &attr);
	pthread_mutex_init(&right, &attr);
	abba();
	return 0;
}
