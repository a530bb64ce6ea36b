/* gate.h - a semaphore as a gate: a worker passes it (wait, post), one thread closes it, another one may open it again. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_SEMAPHORES_GATE_H
#define TESTS_CORPUS_SEMAPHORES_GATE_H

#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

static sem_t gate;
static pthread_t worker;

static inline void *pass_often(void *arg)
{
	for (int i = 0; i < 8; i++) {
		sem_wait(&gate);
		sem_post(&gate);
		usleep(50000);
	}
	return arg;
}

static inline void *close_gate(void *arg)
{
	usleep(120000);
	sem_wait(&gate);
	pthread_join(worker, NULL);
	return arg;
}

/* open_after: seconds after which the gate is opened; 0: never. */
static inline int work(unsigned open_after)
{
	pthread_t closer;

	sem_init(&gate, 0, 1);
	pthread_create(&worker, NULL, pass_often, NULL);
	pthread_create(&closer, NULL, close_gate, NULL);
	if (open_after) {
		sleep(open_after);
		sem_post(&gate);
	}
	return pthread_join(closer, NULL);
}

#endif
