/* flock_threads_slow.c - two threads lock a file by descriptors of their own; the first one takes its time. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of flock_threads.c
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

static char name[] = "/tmp/pptrace-corpus-XXXXXX";
static pthread_barrier_t both;

static void *lock_slowly(void *arg)
{
	flock(open(name, O_RDWR), LOCK_EX);
	pthread_barrier_wait(&both);
	sleep(600);
	return arg;
}

int main(void)
{
	pthread_t t;
	int fd = mkstemp(name);

	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&t, NULL, lock_slowly, NULL);
	pthread_barrier_wait(&both);
	unlink(name);
	flock(fd, LOCK_EX);
	return 0;
}
