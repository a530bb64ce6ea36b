/* fork_sem_anew.c - a child initialises again a semaphore that another thread of its parent held at the fork, and takes it twice. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of fork_sem.c: what Python does after a fork
 */
#include <pthread.h>
#include <semaphore.h>
#include <sys/wait.h>
#include <unistd.h>

static sem_t sem;
static pthread_barrier_t held;

static void *hold(void *arg)
{
	sem_wait(&sem);
	pthread_barrier_wait(&held);
	sleep(300);
	sem_post(&sem);
	return arg;
}

static void *hold_alone(void *arg)
{
	sem_wait(&sem);
	sleep(300);
	sem_post(&sem);
	return arg;
}

int main(void)
{
	pthread_t t;
	pid_t child;
	int value;

	sem_init(&sem, 0, 1);
	sem_wait(&sem);
	sem_post(&sem);
	pthread_barrier_init(&held, NULL, 2);
	pthread_create(&t, NULL, hold, NULL);
	pthread_barrier_wait(&held);
	child = fork();
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
