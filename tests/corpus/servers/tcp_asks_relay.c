/* tcp_asks_relay.c - who has read a question lets another thread answer it, which waits for a process that has slept since before. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of tcp_asks_under_lock.c
 */
#include "own_server.h"

static int backend[2];

static void *relay(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char byte;

	if (read(backend[0], &byte, 1) == 1)
		(void)!send(fd, &byte, 1, 0);
	return NULL;
}

static void *hand_over(void *arg)
{
	pthread_t thread;

	receive((int)(intptr_t)arg);
	pthread_create(&thread, NULL, relay, arg);
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	struct place p = place_tcp();

	need(pipe(backend), "a pipe");
	if (fork() == 0) {
		sleep(600);
		(void)!write(backend[1], "!", 1);
		_exit(0);
	}
	serve(&p, accept_all, hand_over);
	ask_under_lock(&p);
	return 0;
}
