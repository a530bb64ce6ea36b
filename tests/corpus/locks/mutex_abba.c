/* mutex_abba.c - two threads take two mutexes in opposite orders. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: google/sanitizers#492, DeFiCh/ain#368, tangent-opensource/coreBlackbird#19
 */
#include "tests/corpus/signals/abba.h"

int main(void)
{
	abba();
	return 0;
}
