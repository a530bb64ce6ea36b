/* flock_given_back.c - who was sent the descriptor of a locked file unlocks it later, while the sender has it, too. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: awslabs/aws-c-common#1192, flock(2)
 */
#include "given.h"

static void unlock_late(int socket)
{
	int fd = take_given(socket);

	sleep(60);
	flock(fd, LOCK_UN);
}

int main(void)
{
	return lock_what_was_given(unlock_late, 1);
}
