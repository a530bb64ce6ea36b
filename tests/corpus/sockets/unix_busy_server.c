/* unix_busy_server.c - a client waits in connect for a server that is busy for a while. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of unix_full_backlog
 */
#include "sockets.h"

int main(void)
{
	struct place p = place_unix(0);
	int listener = listen_at(&p);

	if (fork() == 0) {
		close(listener);
		for (int i = 0; i < 16; i++)
			(void)connect(socket(AF_UNIX, SOCK_STREAM, 0), &p.addr.any, p.len);
		_exit(0);
	}
	sleep(60);
	close(accept(listener, NULL, NULL));
	return 0;
}
