/* server_asks_itself.c - a server with one thread asks itself, and waits for the answer that it should give. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: puma/puma#612, fengmk2/node-curl#4
 */
#include "sockets.h"

static void ask(const struct place *p)
{
	int fd = connect_to(p);

	(void)!send(fd, "?", 1, 0);
	receive(fd);
}

int main(void)
{
	struct place p = place_tcp();
	int listener = listen_at(&p), fd;

	if (fork() == 0) {
		close(listener);
		ask(&p);
		_exit(0);
	}
	fd = accept(listener, NULL, NULL);
	receive(fd);
	ask(&p);
	(void)!send(fd, "!", 1, 0);
	close(fd);
	wait(NULL);
	return 0;
}
