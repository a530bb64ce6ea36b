/* tcp_connected_to_itself.c - a client has been connected to itself where no server listens, and waits for a greeting. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: "TCP self-connect" (a client that tries again and again to reach a port of the ephemeral range)
 */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof to;
	int client = socket(AF_INET, SOCK_STREAM, 0);
	char greeting[80];

	if (bind(client, (struct sockaddr *)&to, len) != 0 ||
		getsockname(client, (struct sockaddr *)&to, &len) != 0 ||
		connect(client, (struct sockaddr *)&to, len) != 0)
		return 1;
	return read(client, greeting, sizeof greeting) <= 0;
}
