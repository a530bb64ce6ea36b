/* thread1.c - start a thread for every line that is typed, until "q". */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <pthread.h>

static void *child(void *arg)
{
	const int *number = arg;

	printf("Hello from thread %d\n", *number);
	return NULL;
}

int main(int argc, char **argv)
{
	struct demo_option options[] = {{0}};
	bool more = true;

	demo_options(argc, argv, "", options);
	setlinebuf(stdout);
	for (int i = 1; more; i++) {
		pthread_t thread;

		errno = pthread_create(&thread, NULL, child, &i);
		if (errno)
			demo_die("pthread_create");
		more = demo_next_line();
		pthread_join(thread, NULL);
	}
	return 0;
}
