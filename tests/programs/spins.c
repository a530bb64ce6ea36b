/* spins.c - main looks at a variable until another thread sets it, which that one does when half a second of processor time has gone into looking. */
/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static atomic_bool done;

static void *worker(void *arg)
{
	struct timespec used = {0};

	while (used.tv_sec < 1 && used.tv_nsec < 500000000) {
		usleep(10000);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	}
	done = true;
	return arg;
}

/* Works for as long. */
static void *compute(void *arg)
{
	struct timespec used = {0};
	volatile unsigned long sum = 0;

	while (used.tv_sec < 1 && used.tv_nsec < 500000000) {
		for (unsigned long i = 0; i < 1000000; i++)
			sum += i * i;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	}
	return arg;
}

int main(int argc, char **argv)
{
	bool fixed = argc > 1 && !strcmp(argv[1], "--fixed");
	pthread_t thread;

	pthread_create(&thread, NULL, fixed ? compute : worker, NULL);
	if (!fixed)
		while (!done)
			continue;
	pthread_join(thread, NULL);
	return 0;
}
