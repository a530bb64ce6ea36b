/* tcp_own_server.c - main asks a thread of its own over TCP, which waits for what nobody does before it answers. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck deadlock
 * source: socketserver.BaseServer.shutdown() of Python, called by what the server's own thread runs; a handler of SIGINT is installed
 */
#include "sockets.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

static sem_t told;

static void take_note(int signo)
{
	(void)signo;
}

static void *serve(void *listener)
{
	int fd = accept(*(int *)listener, NULL, NULL);

	sem_wait(&told);
	(void)send(fd, "!", 1, 0);
	return NULL;
}

int main(void)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof addr;
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
	pthread_t server;
	char answer;

	(void)signal(SIGINT, take_note);
	sem_init(&told, 0, 0);
	bind(listener, (struct sockaddr *)&addr, len);
	listen(listener, 1);
	getsockname(listener, (struct sockaddr *)&addr, &len);
	pthread_create(&server, NULL, serve, &listener);
	connect(fd, (struct sockaddr *)&addr, len);
	return (int)recv(fd, &answer, 1, 0);
}
