/* sigwait_sent_later.c - main waits for a post that a thread does at a signal, which a third one sends after a while. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of sigwait_awaited_by_main.c
 */
#include <unistd.h>

#include "sigwait_post.h"

static void *send_later(void *arg)
{
	sleep(4);
	pthread_kill(poster, SIGNO);
	return arg;
}

int main(void)
{
	pthread_t t;

	start_poster();
	pthread_create(&t, NULL, send_later, NULL);
	sem_wait(&posted);
	return pthread_join(t, NULL);
}
