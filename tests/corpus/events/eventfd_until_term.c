/* eventfd_until_term.c - main joins a loop that reads an eventfd, which the handler of SIGTERM writes. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * all:    stuck
 * source: the healthy twin of eventfd_joined.c: how daemons end
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int fd;

static void on_term(int signo)
{
	uint64_t one = 1;

	(void)signo;
	(void)!write(fd, &one, sizeof one);
}

static void *loop(void *arg)
{
	uint64_t n;

	(void)!read(fd, &n, sizeof n);
	return arg;
}

int main(void)
{
	pthread_t t;

	fd = eventfd(0, 0);
	signal(SIGTERM, on_term);
	pthread_create(&t, NULL, loop, NULL);
	pthread_join(t, NULL);
	return 0;
}
