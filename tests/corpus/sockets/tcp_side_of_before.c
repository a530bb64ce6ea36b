/* tcp_side_of_before.c - both ends wait for the other, and a child that was forked before the connection was made will speak. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of tcp_both_receive
 */
#include "sockets.h"

int main(void)
{
	struct place p = place_tcp();
	int listener = listen_at(&p), fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fork() == 0) {
		close(listener);
		sleep(60);
		(void)!send(fd, "!", 1, 0);
		_exit(0);
	}
	need(connect(fd, &p.addr.any, p.len), "a connection");
	if (fork() == 0) {
		close(listener);
		receive(fd);
		_exit(0);
	}
	close(fd);
	receive(accept(listener, NULL, NULL));
	return 0;
}
