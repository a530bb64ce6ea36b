/* tcp_asks_deadline.c - who has read a question wants the lock of the asking thread; the event loop answers when an alarm rings. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of tcp_asks_loop.c
 */
#include "asks_loop.h"

#include <signal.h>

static void ring(int signo)
{
	(void)signo;
	(void)!write(wake[1], "!", 1);
}

static void *read_only(void *arg)
{
	receive((int)(intptr_t)arg);
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	struct place p = place_tcp();

	need(pipe(wake), "a pipe");
	signal(SIGALRM, ring);
	alarm(600);
	serve(&p, loop, read_only);
	ask_under_lock(&p);
	return 0;
}
