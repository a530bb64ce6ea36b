/* fork_sem.h - a fork while another thread holds a semaphore that is used as a lock. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_LOCKS_FORK_SEM_H
#define TESTS_CORPUS_LOCKS_FORK_SEM_H

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

/* Forks while a thread holds the semaphore; returns what fork did. */
static pid_t fork_while_held(void)
{
	pthread_t t;

	sem_init(&sem, 0, 1);
	sem_wait(&sem);
	sem_post(&sem);
	pthread_barrier_init(&held, NULL, 2);
	pthread_create(&t, NULL, hold, NULL);
	pthread_barrier_wait(&held);
	return fork();
}

#endif
