/* tcp_asks_slow.c - main asks its own server under a lock; the handler takes its time, and needs the lock afterwards only. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of tcp_asks_under_lock.c
 */
#include "own_server.h"

static void *answer_late(void *arg)
{
	int fd = (int)(intptr_t)arg;

	receive(fd);
	sleep(600);
	(void)!send(fd, "!", 1, 0);
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	close(fd);
	return NULL;
}

int main(void)
{
	struct place p = place_tcp();

	serve(&p, accept_all, answer_late);
	ask_under_lock(&p);
	return 0;
}
