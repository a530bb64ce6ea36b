/* sigwait_joined.c - main joins a thread that takes SIGALRM by sigwait, and nobody has set an alarm. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: the hanging twin of sigwait_until_term.c: nobody sends from outside the signal of a timer that was forgotten
 */
#include <pthread.h>
#include <signal.h>

static void *take_alarm(void *set)
{
	int signo;

	sigwait(set, &signo);
	return NULL;
}

int main(void)
{
	pthread_t t;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_create(&t, NULL, take_alarm, &set);
	return pthread_join(t, NULL);
}
