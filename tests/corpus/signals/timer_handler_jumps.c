/* timer_handler_jumps.c - a thread asks again for a lock that it has; the handler of an armed timer jumps out of the wait. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock
 * source: postgres/postgres (statement_timeout), php/php-src (zend_signal): time limits that leave by siglongjmp
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sigjmp_buf out;

static void leave(int signo)
{
	(void)signo;
	siglongjmp(out, 1);
}

int main(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec limit = {.it_value = {.tv_sec = 60}};
	timer_t timer;

	signal(SIGUSR1, leave);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
		exit(1);
	timer_settime(timer, 0, &limit, NULL);
	pthread_mutex_lock(&mutex);
	if (sigsetjmp(out, 1) == 0)
		pthread_mutex_lock(&mutex);
	return 0;
}
