/* sigwait_ticks_post.c - two threads wait for what a third one gives them at the tick of a timer, which it takes by sigwait. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of sigwait_ticks_abba.c
 */
#include <semaphore.h>

#include "sigwait_ticks.h"

static sem_t turns;

static void give(void)
{
	sem_post(&turns);
	sem_post(&turns);
}

static void *take_turn(void *arg)
{
	sem_wait(&turns);
	return arg;
}

int main(void)
{
	pthread_t a, b;

	sem_init(&turns, 0, 0);
	start_ticks(give, 4);
	pthread_create(&a, NULL, take_turn, NULL);
	pthread_create(&b, NULL, take_turn, NULL);
	pthread_join(a, NULL);
	return pthread_join(b, NULL);
}
