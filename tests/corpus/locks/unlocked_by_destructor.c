/* unlocked_by_destructor.c - main waits for a mutex that a thread gives back when its thread-local data is destroyed, which takes time. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: pthread_key_create(3); the healthy twin of a thread that ends while it has a lock
 */
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t key;
static sem_t taken;

static void give_back(void *held)
{
	sleep(60);
	pthread_mutex_unlock(held);
}

static void *leave(void *arg)
{
	pthread_mutex_lock(&mutex);
	pthread_setspecific(key, &mutex);
	sem_post(&taken);
	return arg;
}

int main(void)
{
	pthread_t t;

	sem_init(&taken, 0, 0);
	pthread_key_create(&key, give_back);
	pthread_create(&t, NULL, leave, NULL);
	sem_wait(&taken);
	return pthread_mutex_lock(&mutex);
}
