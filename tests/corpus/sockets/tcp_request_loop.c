/* tcp_request_loop.c - a client asks again and again, and a server answers. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of tcp_both_receive
 */
#include "sockets.h"

static void ask(int fd)
{
	char answer;

	while (send(fd, "?", 1, 0) == 1 && recv(fd, &answer, 1, 0) == 1)
		usleep(700000);
}

static void answer(int fd)
{
	char question;

	while (recv(fd, &question, 1, 0) == 1 && send(fd, "!", 1, 0) == 1)
		;
}

int main(void)
{
	return talk(place_tcp(), ask, answer);
}
