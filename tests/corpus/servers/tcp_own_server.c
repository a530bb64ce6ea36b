/* tcp_own_server.c - main asks a thread of its own over TCP, which waits for what nobody does before it answers. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck deadlock
 * source: socketserver.BaseServer.shutdown() of Python, called by what the server's own thread runs; a handler of SIGINT is installed
 */
#include "tests/corpus/sockets/sockets.h"

#include <semaphore.h>

static sem_t told;

static void *serve(void *listener)
{
	int fd = accept(*(int *)listener, NULL, NULL);

	sem_wait(&told);
	(void)send(fd, "!", 1, 0);
	return NULL;
}

int main(void)
{
	sem_init(&told, 0, 0);
	return ask_oneself(serve);
}
