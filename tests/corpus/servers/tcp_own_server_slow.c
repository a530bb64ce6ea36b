/* tcp_own_server_slow.c - main asks a thread of its own over TCP, which takes its time to answer. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of tcp_own_server.c
 */
#include "tests/corpus/sockets/sockets.h"

static void *serve(void *listener)
{
	int fd = accept(*(int *)listener, NULL, NULL);

	sleep(60);
	(void)send(fd, "!", 1, 0);
	return NULL;
}

int main(void)
{
	return ask_oneself(serve);
}
