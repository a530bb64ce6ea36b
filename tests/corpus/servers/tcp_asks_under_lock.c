/* tcp_asks_under_lock.c - main asks its own server under a lock that the handler wants; another thread accepts connections. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: a handler that calls its own server under its own lock (net/http, http.server, com.sun.net.httpserver)
 */
#include "own_server.h"

int main(void)
{
	struct place p = place_tcp();

	serve(&p, accept_all, answer_under_lock);
	ask_under_lock(&p);
	return 0;
}
