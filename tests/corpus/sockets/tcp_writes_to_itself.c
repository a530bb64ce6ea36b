/* tcp_writes_to_itself.c - a thread reads from a socket that is connected to itself, into which another one writes late. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of tcp_connected_to_itself.c
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static int client;

static void *write_late(void *arg)
{
	sleep(60);
	return write(client, "x", 1) == 1 ? arg : NULL;
}

int main(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof to;
	pthread_t writer;
	char byte;

	client = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(client, (struct sockaddr *)&to, len) != 0 ||
		getsockname(client, (struct sockaddr *)&to, &len) != 0 ||
		connect(client, (struct sockaddr *)&to, len) != 0 ||
		pthread_create(&writer, NULL, write_late, NULL) != 0)
		return 1;
	return read(client, &byte, 1) != 1;
}
