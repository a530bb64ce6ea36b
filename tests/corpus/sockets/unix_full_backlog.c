/* unix_full_backlog.c - a server connects to itself until its own queue is full, and never comes to accept. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: basecamp/hotcell#20, vfarcic/dot-agent-deck#435
 */
#include "sockets.h"

int main(void)
{
	struct place p = place_unix(0);
	int listener = listen_at(&p);

	for (int i = 0; i < 16; i++)
		(void)connect_to(&p);
	close(accept(listener, NULL, NULL));
	return 0;
}
