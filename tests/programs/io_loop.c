/* io_loop.c - usage: io_loop ROUNDS [exit|exec]: threads that write and read too often for a row each. */
/* SPDX-License-Identifier: MIT */
/* Pairs come and go. Says how much was moved each way; ends by itself or executes another program. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { THREADS = 4, PAIR_ROUNDS = 3000 };
static long rounds;

#define check(what) ((what) ? (void)0 : abort())

/* Returns how many bytes were moved. */
static void *loop(void *arg)
{
	long seed = (long)arg, bytes = 0;
	char buffer[64] = {0};
	int pair[2];

	for (long i = 0; i < rounds; i++) {
		ssize_t len = (i * 7 + seed) % (long)sizeof buffer + 1;

		if (i % PAIR_ROUNDS == 0)
			check(!((i / PAIR_ROUNDS + seed) % 2
					? socketpair(AF_UNIX, SOCK_STREAM, 0, pair)
					: pipe(pair)));
		check(write(pair[1], buffer, (size_t)len) == len);
		check(read(pair[0], buffer, sizeof buffer) == len);
		bytes += len;
		/* The last pair is closed by the end of the process. */
		if (i % PAIR_ROUNDS == PAIR_ROUNDS - 1 && i < rounds - 1)
			check(!close(pair[0]) && !close(pair[1]));
	}
	return (void *)bytes;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	long bytes, more;

	rounds = argc > 1 ? atol(argv[1]) : 1;
	for (long i = 0; i < THREADS; i++)
		check(!pthread_create(&threads[i], NULL, loop, (void *)i));
	bytes = (long)loop((void *)THREADS);
	for (int i = 0; i < THREADS; bytes += more, i++)
		check(!pthread_join(threads[i], (void **)&more));
	fprintf(stderr, "%ld calls, %ld bytes\n", rounds * (THREADS + 1), bytes);
	if (argc > 2 && argv[2][1] == 'x' && argv[2][2] == 'e')
		execlp("true", "true", (char *)NULL);
	return 0;
}
