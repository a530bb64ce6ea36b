/* tcp_asks_child.c - who has read a question lets a child answer it, which takes its time, and wants the lock of the asking thread. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of tcp_asks_under_lock.c: servers that fork for each request
 */
#include "own_server.h"

static void *let_child_answer(void *arg)
{
	int fd = (int)(intptr_t)arg;

	receive(fd);
	if (fork() == 0) {
		sleep(600);
		(void)!send(fd, "!", 1, 0);
		_exit(0);
	}
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	struct place p = place_tcp();

	serve(&p, accept_all, let_child_answer);
	ask_under_lock(&p);
	return 0;
}
