/* spin_abba.c - two threads take two spin locks in opposite orders, and spin. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * misses: ebpf why   a spin lock has no owner in its memory, and taking it is no system call
 * alone:  it keeps two processors busy
 * source: DPDK bug 1200; seastar#1245 (spin locks in opposite orders)
 */
#include <pthread.h>

static pthread_spinlock_t a, b;
static pthread_barrier_t both;

static void *backward(void *arg)
{
	pthread_spin_lock(&b);
	pthread_barrier_wait(&both);
	pthread_spin_lock(&a);
	return arg;
}

int main(void)
{
	pthread_t t;

	pthread_spin_init(&a, 0);
	pthread_spin_init(&b, 0);
	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&t, NULL, backward, NULL);
	pthread_spin_lock(&a);
	pthread_barrier_wait(&both);
	pthread_spin_lock(&b);
	pthread_join(t, NULL);
	return 0;
}
