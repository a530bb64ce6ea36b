/* sem_until_term.c - the main thread of a service waits for a semaphore that the handler of SIGTERM posts, workers for work. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * all: stuck
 * source: the way of sem_post(3), "async-signal-safe"; eclipse/paho, libmicrohttpd's examples
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

static sem_t stop, work;

static void on_term(int signo)
{
	(void)signo;
	sem_post(&stop);
}

static void *serve(void *arg)
{
	for (;;)
		sem_wait(&work);
	return arg;
}

int main(void)
{
	struct sigaction act = {.sa_handler = on_term};
	pthread_t t;

	sem_init(&stop, 0, 0);
	sem_init(&work, 0, 0);
	sigaction(SIGTERM, &act, NULL);
	pthread_create(&t, NULL, serve, NULL);
	pthread_create(&t, NULL, serve, NULL);
	while (sem_wait(&stop) != 0)
		;
	return 0;
}
