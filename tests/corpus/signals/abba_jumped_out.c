/* abba_jumped_out.c - two threads want each other's mutex, until main sends one of them a signal whose handler jumps out of the wait. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock
 * source: wasm-micro-runtime/wasm-micro-runtime#1921; the healthy twin of abba_told.c
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <unistd.h>

static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER, right = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;
static sigjmp_buf out;

static void jump(int signo)
{
	siglongjmp(out, signo);
}

static void *first(void *arg)
{
	pthread_mutex_lock(&left);
	pthread_barrier_wait(&both);
	if (!sigsetjmp(out, 1))
		pthread_mutex_lock(&right);
	pthread_mutex_unlock(&left);
	return arg;
}

static void *second(void *arg)
{
	pthread_mutex_lock(&right);
	pthread_barrier_wait(&both);
	pthread_mutex_lock(&left);
	pthread_mutex_unlock(&left);
	pthread_mutex_unlock(&right);
	return arg;
}

int main(void)
{
	pthread_t a, b;

	(void)signal(SIGUSR1, jump);
	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&a, NULL, first, NULL);
	pthread_create(&b, NULL, second, NULL);
	sleep(60);
	pthread_kill(a, SIGUSR1);
	return pthread_join(b, NULL);
}
