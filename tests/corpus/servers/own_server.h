/* own_server.h - a program that asks its own server: a thread accepts connections, and others handle them. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_OWN_SERVER_H
#define TESTS_CORPUS_OWN_SERVER_H

#include "tests/corpus/sockets/sockets.h"

#include <poll.h>
#include <stdint.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *(*handle)(void *fd);
static int listener;

static inline void *accept_all(void *arg)
{
	pthread_t thread;
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0)
		pthread_create(&thread, NULL, handle, (void *)(intptr_t)fd);
	return arg;
}

/* As http.server of Python does: polls with a time-out first. */
static inline void *poll_and_accept(void *arg)
{
	struct pollfd p = {.fd = listener, .events = POLLIN};
	pthread_t thread;

	for (;;)
		if (poll(&p, 1, 500) == 1)
			pthread_create(&thread, NULL, handle,
				(void *)(intptr_t)accept(listener, NULL, NULL));
	return arg;
}

/* Starts a server with this handler. */
static inline void serve(struct place *p, void *(*server)(void *), void *(*handler)(void *fd))
{
	pthread_t thread;

	handle = handler;
	listener = listen_at(p);
	pthread_create(&thread, NULL, server, NULL);
}

/* Asks under the lock, and waits for the answer. */
static inline void ask_under_lock(const struct place *p)
{
	int fd;

	pthread_mutex_lock(&lock);
	fd = connect_to(p);
	(void)!send(fd, "?", 1, 0);
	receive(fd);
	pthread_mutex_unlock(&lock);
	close(fd);
}

/* Answers under the lock. */
static inline void *answer_under_lock(void *arg)
{
	int fd = (int)(intptr_t)arg;

	receive(fd);
	pthread_mutex_lock(&lock);
	(void)!send(fd, "!", 1, 0);
	pthread_mutex_unlock(&lock);
	close(fd);
	return NULL;
}

#endif
