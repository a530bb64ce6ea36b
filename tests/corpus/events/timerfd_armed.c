/* timerfd_armed.c - main joins an event loop whose timer will end it. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: systemd/systemd#3294's kind, libevent#984
 */
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

static int set;

static void *loop(void *arg)
{
	struct epoll_event e;

	(void)epoll_wait(set, &e, 1, -1);
	return arg;
}

int main(void)
{
	int timer = timerfd_create(CLOCK_MONOTONIC, 0), fd[2];
	struct epoll_event e = {.events = EPOLLIN};
	pthread_t t;

	timerfd_settime(timer, 0, &(struct itimerspec){.it_value = {60, 0}}, NULL);
	set = epoll_create1(0);
	if (pipe(fd) != 0)
		return 1;
	epoll_ctl(set, EPOLL_CTL_ADD, timer, &e);
	epoll_ctl(set, EPOLL_CTL_ADD, fd[0], &e);
	pthread_create(&t, NULL, loop, NULL);
	pthread_join(t, NULL);
	return 0;
}
