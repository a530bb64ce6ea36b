/* sigwait_until_term.c - main joins a worker at rest; a thread waits for SIGTERM by sigwait, and would tell it to end. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * all:    deadlock stuck
 * source: pthread_sigmask(3)'s example, as daemons do it
 */
#include <pthread.h>
#include <signal.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int is_over;

static void *work(void *arg)
{
	pthread_mutex_lock(&mutex);
	while (!is_over)
		pthread_cond_wait(&changed, &mutex);
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void *take_signals(void *set)
{
	int signo;

	sigwait(set, &signo);
	pthread_mutex_lock(&mutex);
	is_over = 1;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
	return NULL;
}

int main(void)
{
	pthread_t worker, signals;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_create(&worker, NULL, work, NULL);
	pthread_create(&signals, NULL, take_signals, &set);
	pthread_join(worker, NULL);
	return 0;
}
