/* pidfd_taken.c - a program reads from its own pipe, into which a process will write that takes the end out of it. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock
 * source: pidfd_getfd(2): supervisors act for those that they supervise (seccomp's user notification)
 */
#include "taken.h"

int main(void)
{
	return read_from_own_pipe(take_and_write);
}
