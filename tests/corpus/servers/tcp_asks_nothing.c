/* tcp_asks_nothing.c - main listens under a lock to what its server may tell; another handler wants the lock. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of tcp_asks_under_lock.c
 */
#include "own_server.h"

/* The first connection is kept; what is read from the others is passed on to it, as a hub does. */
static void *pass_on(void *arg)
{
	static int first = -1;
	int fd = (int)(intptr_t)arg;
	char byte;

	if (first < 0)
		first = fd;
	if (recv(fd, &byte, 1, 0) == 1) {
		pthread_mutex_lock(&lock);
		(void)!send(first, &byte, 1, 0);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int main(void)
{
	struct place p = place_tcp();
	int fd;

	serve(&p, accept_all, pass_on);
	pthread_mutex_lock(&lock);
	fd = connect_to(&p);
	receive(fd);
	pthread_mutex_unlock(&lock);
	return 0;
}
