/* tcp_asks_loop.c - main asks its own server under a lock that the handler wants; an event loop polls for connections, and a pipe of its own. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: a handler that calls its own server under its own lock (net/http, http.server, com.sun.net.httpserver)
 */
#include "asks_loop.h"

int main(void)
{
	struct place p = place_tcp();

	need(pipe(wake), "a pipe");
	serve(&p, loop, answer_under_lock);
	ask_under_lock(&p);
	return 0;
}
