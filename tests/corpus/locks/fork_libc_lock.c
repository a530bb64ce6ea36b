/* fork_libc_lock.c - a child converts a time while the lock of the time zone, in libc, was held by another thread at the fork. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: glibc bug 6578's kind, openjdk JDK-8027434
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* For a while: long before its end a child has been caught. */
static void *convert(void *arg)
{
	time_t now = time(NULL), end = now + 3;

	while ((now = time(NULL)) < end)
		(void)localtime(&now);
	return arg;
}

int main(void)
{
	pthread_t t;

	pthread_create(&t, NULL, convert, NULL);
	for (;;) {
		pid_t child = fork();

		if (child == 0) {
			time_t now = time(NULL);

			(void)localtime(&now);
			_exit(0);
		}
		waitpid(child, NULL, 0);
	}
}
