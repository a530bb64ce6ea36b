/* pending_blocked.c - two threads deadlock while a signal that both block, and that has a handler, is pending. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: modelled on sigwait-style servers whose worker threads block what the main thread takes (glibc manual, "Process Signal Mask")
 */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;

static void on_usr1(int signo)
{
	(void)signo;
}

static void *backward(void *arg)
{
	pthread_mutex_lock(&b);
	pthread_barrier_wait(&both);
	pthread_mutex_lock(&a);
	return arg;
}

int main(void)
{
	sigset_t set;
	pthread_t t;

	signal(SIGUSR1, on_usr1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&t, NULL, backward, NULL);
	pthread_mutex_lock(&a);
	kill(getpid(), SIGUSR1);
	pthread_barrier_wait(&both);
	pthread_mutex_lock(&b);
	pthread_join(t, NULL);
	return 0;
}
