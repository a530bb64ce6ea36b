/* flock_given.c - who was sent the descriptor of a locked file reads from the one that locks it anew. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: asmvik/skhd#83, flock(2)
 */
#include "given.h"

static void read_on(int socket)
{
	char byte;

	if (take_given(socket) >= 0 && read(socket, &byte, 1) < 0)
		_exit(1);
}

int main(void)
{
	return lock_what_was_given(read_on, 0);
}
