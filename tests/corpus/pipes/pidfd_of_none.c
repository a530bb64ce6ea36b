/* pidfd_of_none.c - a program reads from its own pipe, and the other process only sleeps. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: the twin of pidfd_taken.c
 */
#include "taken.h"

int main(void)
{
	return read_from_own_pipe(NULL);
}
