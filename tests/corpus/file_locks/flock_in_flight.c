/* flock_in_flight.c - the descriptor through which a file is locked is in a message that nobody has received yet. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: unix(7), flock(2)
 */
#include "given.h"

static void receive_late(int socket)
{
	sleep(60);
	(void)take_given(socket);
}

int main(void)
{
	return lock_what_was_given(receive_late, 0);
}
