/* tcp_own_server_slow.c - main asks a thread of its own over TCP, which takes its time to answer. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of tcp_own_server.c
 */
#include "sockets.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static void take_note(int signo)
{
	(void)signo;
}

static void *serve(void *listener)
{
	int fd = accept(*(int *)listener, NULL, NULL);

	sleep(60);
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
	bind(listener, (struct sockaddr *)&addr, len);
	listen(listener, 1);
	getsockname(listener, (struct sockaddr *)&addr, &len);
	pthread_create(&server, NULL, serve, &listener);
	connect(fd, (struct sockaddr *)&addr, len);
	return (int)recv(fd, &answer, 1, 0);
}
