/* mutex_pi_heap.c - as mutex_pi, with mutexes on the heap: no instruction names the one that the kernel refuses. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: as mutex_pi
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct account {
	pthread_mutex_t lock;
	long money;
};

static struct account *mine, *yours;

static void transfer(struct account *from, struct account *to)
{
	pthread_mutex_lock(&from->lock);
	usleep(100000);
	pthread_mutex_lock(&to->lock);
	from->money--;
	to->money++;
	pthread_mutex_unlock(&to->lock);
	pthread_mutex_unlock(&from->lock);
}

static void *pay_back(void *arg)
{
	transfer(yours, mine);
	return arg;
}

static struct account *account_new(void)
{
	struct account *a = calloc(1, sizeof *a);
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&a->lock, &attr);
	return a;
}

int main(void)
{
	pthread_t t;

	mine = account_new();
	yours = account_new();
	pthread_create(&t, NULL, pay_back, NULL);
	transfer(mine, yours);
	pthread_join(t, NULL);
	return 0;
}
