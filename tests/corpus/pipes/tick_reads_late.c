/* tick_reads_late.c - a helper looks at a flag ten times a second, and begins to read late what a child has filled its pipe with. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid:   deadlock stuck
 * restless: the helper's wait has a time-out
 * source:   programs with a thread for progress or a watchdog, which takes the output of a child in the end
 */
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 600 };

static int fd[2];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int is_over;

static void wait_a_little(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 100000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_cond_timedwait(&changed, &mutex, &until);
}

static void *help(void *arg)
{
	char bytes[4096];

	pthread_mutex_lock(&mutex);
	for (int i = 0; i < ROUNDS && !is_over; i++)
		wait_a_little();
	pthread_mutex_unlock(&mutex);
	while (read(fd[0], bytes, sizeof bytes) > 0)
		;
	return arg;
}

int main(void)
{
	static const char much[300000];
	pthread_t helper;

	if (pipe(fd) != 0 || pthread_create(&helper, NULL, help, NULL) != 0)
		return 1;
	if (fork() == 0) {
		close(fd[0]);
		(void)!write(fd[1], much, sizeof much);
		_exit(0);
	}
	close(fd[1]);
	wait(NULL);
	return pthread_join(helper, NULL);
}
