/* handler_takes_libc_lock.c - a signal handler allocates while the thread it interrupted holds the allocator's lock. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock stuck
 * source: openssh CVE-2024-6387's kind; systemd#10822; bugs.debian.org/cgi-bin/bugreport.cgi?bug=484721 (syslog in a handler)
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static void on_alarm(int signo)
{
	time_t now = time(NULL);

	(void)signo;
	(void)localtime(&now);
}

int main(void)
{
	struct itimerval often = {{0, 500}, {0, 500}};

	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &often, NULL);
	for (;;) {
		time_t now = time(NULL);

		(void)localtime(&now);
	}
}
