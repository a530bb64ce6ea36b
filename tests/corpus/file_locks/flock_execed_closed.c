/* flock_execed_closed.c - exec closes the file through which a child has the lock that its parent wants. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: open(2), O_CLOEXEC
 */
#include "execed.h"

int main(void)
{
	return execed_run(O_CLOEXEC);
}
