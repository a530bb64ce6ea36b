/* fleet_peer.c - one of a ring of programs on many hosts. */
/* SPDX-License-Identifier: MIT */
/*
 * usage: fleet_peer OWN-ADDRESS NEXT-ADDRESS begin|wait
 *
 * Each takes a connection from the one before it and makes one to the next, says hello on it and reads the hello of the
 * one before. Then everybody reads a token from the one before and hands it on: who was told to begin hands one on first. If
 * nobody was, all wait for each other.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT = 5098 };

static struct sockaddr_in address_of(const char *text)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(PORT)};

	(void)inet_pton(AF_INET, text, &a.sin_addr);
	return a;
}

static int begin_to_listen(const char *own)
{
	struct sockaddr_in a = address_of(own);
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 1) < 0) {
		perror("listen");
		_exit(1);
	}
	return fd;
}

static int connect_to(const char *next)
{
	struct sockaddr_in a = address_of(next);

	for (;;) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
			return fd;
		close(fd);
		usleep(50000); /* it has not begun yet */
	}
}

static int read_token(int before)
{
	char c;

	return recv(before, &c, 1, 0) == 1;
}

int main(int argc, char **argv)
{
	int listener, next, before;

	if (argc != 4)
		return 2;
	listener = begin_to_listen(argv[1]);
	next = connect_to(argv[2]);
	before = accept(listener, NULL, NULL);
	if (send(next, "h", 1, 0) != 1 || !read_token(before))
		return 1;
	fprintf(stderr, "ready\n");
	if (!strcmp(argv[3], "begin") && send(next, "t", 1, 0) != 1)
		return 1;
	while (read_token(before)) {
		usleep(1000);
		if (send(next, "t", 1, MSG_NOSIGNAL) != 1)
			break;
	}
	return 0;
}
