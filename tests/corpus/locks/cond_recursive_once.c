/* cond_recursive_once.c - a thread waits on a condition with a recursive mutex that it holds once, and a thread that sleeps will signal it. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: qoretechnologies/qore#2817, cloudius-systems/osv#268
 */
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t held;
static bool is_filled;

static void *consume(void *arg)
{
	pthread_mutex_lock(&mutex);
	pthread_barrier_wait(&held);
	while (!is_filled)
		pthread_cond_wait(&filled, &mutex);
	pthread_mutex_unlock(&mutex);
	return arg;
}

int main(void)
{
	pthread_t t;

	pthread_barrier_init(&held, NULL, 2);
	pthread_create(&t, NULL, consume, NULL);
	pthread_barrier_wait(&held);
	sleep(60);
	pthread_mutex_lock(&mutex);
	is_filled = true;
	pthread_cond_signal(&filled);
	pthread_mutex_unlock(&mutex);
	pthread_join(t, NULL);
	return 0;
}
