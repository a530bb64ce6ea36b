/* comes_and_goes.c - threads that wait for each other's locks, and children that live for a while: all is well. */
/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, SECONDS = 60 };

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;

static void rest(long ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

	(void)nanosleep(&ts, NULL);
}

static void *work(void *arg)
{
	for (;;) {
		(void)pthread_mutex_lock(&outer);
		rest(20);
		(void)pthread_mutex_lock(&inner);
		rest(40);
		(void)pthread_mutex_unlock(&inner);
		(void)pthread_mutex_unlock(&outer);
	}
	return arg;
}

int main(void)
{
	pthread_t t;

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&t, NULL, work, NULL))
			return 1;
	for (int i = 0; i < SECONDS * 4; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			rest(250);
			_exit(3);
		}
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			return 1;
	}
	return 0;
}
