/* deadlock-rwlock.c - a reader tries to upgrade to a writer and waits for itself to release the read lock. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <pthread.h>

static pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;
static bool fixed = false;
static int table = 0;

static void *update(void *arg)
{
	pthread_rwlock_rdlock(&table_lock);
	printf("found %d\n", table);
	/* The fixed version stops reading first; it must then look again at what it found. */
	if (fixed)
		pthread_rwlock_unlock(&table_lock);
	pthread_rwlock_wrlock(&table_lock);
	table++;
	pthread_rwlock_unlock(&table_lock);
	printf("updated\n");
	return arg;
}

int main(int argc, char **argv)
{
	struct demo_option options[] = {
		{"--fixed", "release the read lock before asking for the write lock",
			.flag = &fixed},
		{0},
	};
	pthread_t thread;

	demo_options(argc, argv, "", options);
	pthread_create(&thread, NULL, update, NULL);
	pthread_join(thread, NULL);
	return 0;
}
