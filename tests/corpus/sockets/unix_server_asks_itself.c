/* unix_server_asks_itself.c - a server with one thread connects to itself over a Unix socket, and waits for its own answer. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: puma/puma#612, fengmk2/node-curl#4
 */
#include "sockets.h"

int main(void)
{
	struct place p = place_unix(0);
	int listener = listen_at(&p), fd = connect_to(&p);

	receive(fd);
	close(accept(listener, NULL, NULL));
	return 0;
}
