/* thread-classes.c - threads as objects: a run function, start and join. */
/* SPDX-License-Identifier: MIT */
/* Try: --delay 0.1 */
#include "../demo.h"

#include <pthread.h>

struct thread {
	void (*run)(struct thread *self);
	pthread_t handle;
};

static void *thread_main(void *arg)
{
	struct thread *self = arg;

	self->run(self);
	return NULL;
}

static void thread_start(struct thread *self)
{
	errno = pthread_create(&self->handle, NULL, thread_main, self);
	if (errno)
		demo_die("pthread_create");
}

static void thread_join(struct thread *self)
{
	pthread_join(self->handle, NULL);
}

/* A thread that counts; the base comes first, so that a pointer to it is a pointer to both. */
struct counter {
	struct thread base;
	int id;
	long count;
	double delay;
	pthread_mutex_t *mutex;
};

static void counter_run(struct thread *base)
{
	struct counter *self = (struct counter *)base;

	for (long i = 0; i < self->count; i++) {
		demo_sleep(self->delay);
		pthread_mutex_lock(self->mutex);
		printf("[%d] => %ld\n", self->id, i);
		pthread_mutex_unlock(self->mutex);
	}
}

int main(int argc, char **argv)
{
	enum { THREADS = 10 };
	struct counter counters[THREADS];
	pthread_mutex_t print_mutex = PTHREAD_MUTEX_INITIALIZER;
	double delay = 1;
	long count = 3;
	struct demo_option options[] = {
		{"--delay", "between two numbers (1)", .seconds = &delay},
		{"--count", "number that each thread counts to (3)", .number = &count},
		{0},
	};

	demo_options(argc, argv, "", options);
	setlinebuf(stdout);
	for (int i = 0; i < THREADS; i++) {
		counters[i] = (struct counter){
			.base.run = counter_run,
			.id = i,
			.count = count,
			.delay = delay,
			.mutex = &print_mutex,
		};
		thread_start(&counters[i].base);
	}
	for (int i = 0; i < THREADS; i++)
		thread_join(&counters[i].base);
	printf("Main thread exiting.\n");
	return 0;
}
