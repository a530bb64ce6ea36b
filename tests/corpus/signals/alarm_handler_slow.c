/* alarm_handler_slow.c - a lock is wanted twice until the handler of an alarm, which takes its time, ends the program. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock
 * source: zoxy-io/zoxy#328, wiredtiger/wiredtiger#4481
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void end(int signo)
{
	double begin = now();

	(void)signo;
	while (now() - begin < 1.5)
		;
	_exit(0);
}

int main(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

	signal(SIGALRM, end);
	alarm(1);
	pthread_mutex_lock(&lock);
	pthread_mutex_lock(&lock);
	return 1;
}
