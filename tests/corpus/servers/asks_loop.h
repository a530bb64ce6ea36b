/* asks_loop.h - a server that asks itself: its event loop polls the socket that listens and a pipe of its own. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_ASKS_LOOP_H
#define TESTS_CORPUS_ASKS_LOOP_H

#include "own_server.h"

static int wake[2];

/* Hands each connection to a handler; a byte in the pipe is the answer to the last one. */
static inline void *loop(void *arg)
{
	struct pollfd set[2] = {
		{.fd = listener, .events = POLLIN}, {.fd = wake[0], .events = POLLIN}};
	pthread_t thread;
	int last = -1;
	char byte;

	for (;;) {
		if (poll(set, 2, -1) < 0)
			continue;
		if (set[0].revents) {
			last = accept(listener, NULL, NULL);
			pthread_create(&thread, NULL, handle, (void *)(intptr_t)last);
		}
		if (set[1].revents && read(wake[0], &byte, 1) == 1)
			(void)!send(last, &byte, 1, 0);
	}
	return arg;
}

#endif
