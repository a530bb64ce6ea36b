/* fork_sem_anew.c - a child initialises again a semaphore that another thread of its parent held at the fork, and takes it twice. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of fork_sem.c: what Python does after a fork
 */
#include "fork_sem.h"

static void *hold_alone(void *arg)
{
	sem_wait(&sem);
	sleep(300);
	sem_post(&sem);
	return arg;
}

int main(void)
{
	pid_t child = fork_while_held();
	pthread_t t;
	int value;

	if (child == 0) {
		sem_init(&sem, 0, 1);
		pthread_create(&t, NULL, hold_alone, NULL);
		sem_getvalue(&sem, &value);
		while (value)
			sem_getvalue(&sem, &value);
		sem_wait(&sem);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	return 0;
}
