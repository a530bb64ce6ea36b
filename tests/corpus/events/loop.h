/* loop.h - an event loop that nothing can wake but a worker, which waits for the loop. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_EVENTS_LOOP_H
#define TESTS_CORPUS_EVENTS_LOOP_H

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static int wake[2];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;

static inline void wake_loop(int signo)
{
	(void)signo;
	(void)!write(wake[1], "w", 1);
}

static inline void *worker(void *arg)
{
	pthread_mutex_lock(&mutex);
	pthread_cond_wait(&work, &mutex);
	pthread_mutex_unlock(&mutex);
	wake_loop(0);
	return arg;
}

/* on_term: the program's handler, or SIG_DFL. */
static inline int loop(void (*on_term)(int signo))
{
	struct epoll_event event = {.events = EPOLLIN};
	int set = epoll_create1(EPOLL_CLOEXEC);
	pthread_t t;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, wake) < 0)
		return 1;
	signal(SIGTERM, on_term);
	epoll_ctl(set, EPOLL_CTL_ADD, wake[0], &event);
	pthread_create(&t, NULL, worker, NULL);
	if (epoll_wait(set, &event, 1, -1) == 1)
		pthread_cond_signal(&work);
	return pthread_join(t, NULL);
}

#endif
