/* stacks.c - a deadlock of two threads that lock by a function of their own. */
/* SPDX-License-Identifier: MIT */
/*
 * usage: stacks [indirect]
 *
 * indirect: that function is called by a pointer, so that nothing on the stack
 * names it. The lines that tests look for are marked.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

pthread_mutex_t account = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t audit = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t meet;

static __attribute__((noinline)) void my_lock(pthread_mutex_t *m)
{
	pthread_mutex_lock(m); /* HELPER */
	__asm__ volatile("");
}

static void (*volatile lock_by)(pthread_mutex_t *m) = my_lock;
static int is_indirect;

static __attribute__((noinline)) void lock(pthread_mutex_t *m)
{
	if (is_indirect)
		lock_by(m);
	else
		my_lock(m);
	__asm__ volatile("");
}

static void *transfer(void *arg)
{
	lock(&account);
	pthread_barrier_wait(&meet);
	lock(&audit); /* TRANSFER */
	return arg;
}

static void *report(void *arg)
{
	lock(&audit);
	pthread_barrier_wait(&meet);
	lock(&account); /* REPORT */
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t threads[2];

	is_indirect = argc > 1 && !strcmp(argv[1], "indirect");
	pthread_barrier_init(&meet, NULL, 2);
	pthread_create(&threads[0], NULL, transfer, NULL);
	pthread_create(&threads[1], NULL, report, NULL);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return 0;
}
