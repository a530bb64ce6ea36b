/* flock_execed.c - a program that a child has executed holds the lock which that took before, and reads to the end of what its parent writes. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: flock(2): "Locks created by flock() are preserved across an execve(2)"
 */
#include "execed.h"

int main(void)
{
	return execed_run(0);
}
