/* eventfd_joined.c - main waits for the end of a thread that reads an eventfd which nobody but main could write. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock stuck
 * source: boost/asio#145's kind (join before stop), facebook/folly#1054
 */
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int fd;

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
	pthread_create(&t, NULL, loop, NULL);
	pthread_join(t, NULL);
	return 0;
}
