/* testexit_thread.c - threads that change one shared variable and end by themselves, until "q". */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <pthread.h>

static int exit_status;

static void *child(void *arg)
{
	(void)arg;
	exit_status++; /* shared: it grows with each thread */
	printf("Hello from child %d %d\n", gettid(), exit_status);
	pthread_exit(NULL);
}

int main(int argc, char **argv)
{
	struct demo_option options[] = {{0}};
	bool more = true;

	demo_options(argc, argv, "", options);
	setlinebuf(stdout);
	while (more) {
		pthread_t thread;

		errno = pthread_create(&thread, NULL, child, NULL);
		if (errno)
			demo_die("pthread_create");
		more = demo_next_line();
		pthread_join(thread, NULL);
	}
	return 0;
}
