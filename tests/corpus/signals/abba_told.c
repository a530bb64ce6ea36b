/* abba_told.c - two threads want each other's mutex; main sends one of them a signal, whose handler only takes note of it. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock stuck
 * source: apache/nuttx#587: after the handler the thread waits for the mutex again; the hanging twin of abba_jumped_out.c
 */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER, right = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;
static volatile sig_atomic_t told;
static _Atomic pid_t first_tid;
static _Atomic bool met;

static void take_note(int signo)
{
	told = signo;
}

static void take(pthread_mutex_t *one, pthread_mutex_t *other)
{
	/* Each is given back by who has taken it: they are locks. */
	pthread_mutex_lock(one);
	pthread_mutex_unlock(one);
	pthread_mutex_lock(one);
	pthread_barrier_wait(&both);
	met = true;
	pthread_mutex_lock(other);
	pthread_mutex_unlock(other);
	pthread_mutex_unlock(one);
}

static void *first(void *arg)
{
	first_tid = gettid();
	take(&left, &right);
	return arg;
}

static void *second(void *arg)
{
	take(&right, &left);
	return arg;
}

/* Says whether the thread has met the other one, and sleeps: for its second mutex. */
static bool sleeps(pid_t tid)
{
	char name[64], line[256] = "";
	FILE *f;

	snprintf(name, sizeof name, "/proc/self/task/%d/stat", (int)tid);
	f = met ? fopen(name, "re") : NULL;
	if (!f)
		return false;
	(void)!fgets(line, sizeof line, f);
	fclose(f);
	return strstr(line, ") S ") != NULL;
}

int main(void)
{
	pthread_t a, b;

	(void)signal(SIGUSR1, take_note);
	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&a, NULL, first, NULL);
	pthread_create(&b, NULL, second, NULL);
	while (!sleeps(first_tid))
		usleep(1000);
	pthread_kill(a, SIGUSR1);
	return (int)sleep(60);
}
