/* unix_asks_under_lock.c - main asks its own server under a lock that the handler wants; another thread polls for connections. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: a handler that calls its own server under its own lock (net/http, http.server, com.sun.net.httpserver)
 */
#include "own_server.h"

int main(void)
{
	struct place p = place_unix(0);

	serve(&p, poll_and_accept, answer_under_lock);
	ask_under_lock(&p);
	return 0;
}
