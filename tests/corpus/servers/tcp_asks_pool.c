/* tcp_asks_pool.c - who has read a question hands it to a worker, and wants the lock that the asking thread has; the worker is slow. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of tcp_asks_under_lock.c
 */
#include "own_server.h"

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queued = PTHREAD_COND_INITIALIZER;
static int queue = -1;

static void *work(void *arg)
{
	int fd;

	for (;;) {
		pthread_mutex_lock(&queue_lock);
		while (queue < 0)
			pthread_cond_wait(&queued, &queue_lock);
		fd = queue;
		queue = -1;
		pthread_mutex_unlock(&queue_lock);
		sleep(600);
		(void)!send(fd, "!", 1, 0);
	}
	return arg;
}

static void *hand_over(void *arg)
{
	int fd = (int)(intptr_t)arg;

	receive(fd);
	pthread_mutex_lock(&queue_lock);
	queue = fd;
	pthread_cond_signal(&queued);
	pthread_mutex_unlock(&queue_lock);
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	struct place p = place_tcp();
	pthread_t worker;

	for (int i = 0; i < 3; i++)
		pthread_create(&worker, NULL, work, NULL);
	serve(&p, accept_all, hand_over);
	ask_under_lock(&p);
	return 0;
}
