/* rwlock.h - a thread reads twice what another one wants to write. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_RWLOCK_H
#define TESTS_CORPUS_RWLOCK_H

#include <pthread.h>
#include <unistd.h>

static pthread_rwlock_t table;

static void *change(void *arg)
{
	pthread_rwlock_wrlock(&table);
	pthread_rwlock_unlock(&table);
	return arg;
}

/* Reads again once a writer waits; kind: who is let in first then. */
static void read_again(int kind, unsigned seconds)
{
	pthread_rwlockattr_t attr;
	pthread_t writer;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, kind);
	pthread_rwlock_init(&table, &attr);
	pthread_rwlock_rdlock(&table);
	pthread_create(&writer, NULL, change, NULL);
	/* Readers are let in until the writer has said that it waits. */
	while (pthread_rwlock_tryrdlock(&table) == 0) {
		pthread_rwlock_unlock(&table);
		if (kind == PTHREAD_RWLOCK_PREFER_READER_NP)
			break;
		usleep(1000);
	}
	pthread_rwlock_rdlock(&table);
	sleep(seconds);
	pthread_rwlock_unlock(&table);
	pthread_rwlock_unlock(&table);
	pthread_join(writer, NULL);
}

#endif
