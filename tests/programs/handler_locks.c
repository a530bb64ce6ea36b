/* handler_locks.c - locks in a signal handler that interrupts locking: prints how often each did. */
/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

static pthread_mutex_t inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER;
static volatile sig_atomic_t handled;

static void on_alarm(int signo)
{
	(void)signo;
	for (int i = 0; i < 10; i++) {
		pthread_mutex_lock(&inner);
		pthread_mutex_unlock(&inner);
	}
	handled++;
}

int main(void)
{
	struct itimerval every = {{0, 200}, {0, 200}};
	struct sigaction act;
	long n = 0;

	memset(&act, 0, sizeof act);
	act.sa_handler = on_alarm;
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	while (handled < 500) {
		pthread_mutex_lock(&outer);
		pthread_mutex_unlock(&outer);
		if (++n == 200000)
			break;
	}
	memset(&every, 0, sizeof every);
	setitimer(ITIMER_REAL, &every, NULL);
	printf("%ld %d\n", n, 10 * (int)handled);
	return 0;
}
