/* sigwait_awaited_by_main.c - main waits for a post that a thread does at a signal, which main would send it afterwards. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: a start-up handshake in the wrong order, as in daemons with a thread for signals
 */
#include "sigwait_post.h"

int main(void)
{
	start_poster();
	sem_wait(&posted);
	pthread_kill(poster, SIGNO);
	return pthread_join(poster, NULL);
}
