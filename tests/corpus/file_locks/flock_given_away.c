/* flock_given_away.c - who was sent the descriptor of a locked file has it alone, and ends later. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: brooklyncentral/clocker#382, flock(2)
 */
#include "given.h"

static void end_late(int socket)
{
	if (take_given(socket) >= 0)
		sleep(60);
}

int main(void)
{
	return lock_what_was_given(end_late, 0);
}
