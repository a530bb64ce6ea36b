/* sigwait_timer.c - the main thread joins one that waits by sigwait for the signal of its own POSIX timer. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: timer_create(2), SIGEV_THREAD_ID; the healthy twin of sigwait_joined.c
 */
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void *wait_for_timer(void *arg)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
	struct itimerspec in_a_minute = {.it_value.tv_sec = 60};
	timer_t timer;
	int signo;

	event._sigev_un._tid = (int)syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 &&
		timer_settime(timer, 0, &in_a_minute, NULL) == 0)
		sigwait(arg, &signo);
	return NULL;
}

int main(void)
{
	pthread_t waiter;
	sigset_t timer;

	sigemptyset(&timer);
	sigaddset(&timer, SIGRTMIN);
	pthread_sigmask(SIG_BLOCK, &timer, NULL);
	return pthread_create(&waiter, NULL, wait_for_timer, &timer) || pthread_join(waiter, NULL);
}
