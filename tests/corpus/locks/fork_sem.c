/* fork_sem.c - a child wants a semaphore, used as a lock, that another thread of its parent held at the fork. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: python/cpython#50970 (bpo-6721), whose locks are semaphores
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

int main(void)
{
	pthread_t t;
	pid_t child;

	sem_init(&sem, 0, 1);
	sem_wait(&sem);
	sem_post(&sem);
	pthread_barrier_init(&held, NULL, 2);
	pthread_create(&t, NULL, hold, NULL);
	pthread_barrier_wait(&held);
	child = fork();
	if (child == 0) {
		sem_wait(&sem);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	return 0;
}
