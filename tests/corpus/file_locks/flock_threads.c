/* flock_threads.c - two threads lock two files by descriptors of their own, in opposite orders: a process can block itself with flock. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: flock(2): an attempt to lock the file using one of several descriptors may be denied by a lock of the calling process
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

static char names[2][32] = {"/tmp/pptrace-corpus-XXXXXX", "/tmp/pptrace-corpus-XXXXXX"};
static pthread_barrier_t both;

static void *lock_both(void *is_other)
{
	int first = open(names[is_other != NULL], O_RDWR), second = open(names[!is_other], O_RDWR);

	flock(first, LOCK_EX);
	pthread_barrier_wait(&both);
	if (is_other == NULL) {
		unlink(names[0]);
		unlink(names[1]);
	}
	flock(second, LOCK_EX);
	return NULL;
}

int main(void)
{
	pthread_t one, other;

	if (close(mkstemp(names[0])) || close(mkstemp(names[1])))
		return 1;
	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&one, NULL, lock_both, NULL);
	pthread_create(&other, NULL, lock_both, names);
	pthread_join(one, NULL);
	pthread_join(other, NULL);
	return 0;
}
