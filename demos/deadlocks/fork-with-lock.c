/* fork-with-lock.c - a child wants a lock that another thread of its parent held at fork. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <pthread.h>
#include <sys/wait.h>

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t is_locked, may_unlock;

static void *logger(void *arg)
{
	pthread_mutex_lock(&log_lock);
	pthread_barrier_wait(&is_locked);
	pthread_barrier_wait(&may_unlock);
	pthread_mutex_unlock(&log_lock);
	return arg;
}

static void lock_log(void)
{
	pthread_mutex_lock(&log_lock);
}

static void unlock_log(void)
{
	pthread_mutex_unlock(&log_lock);
}

int main(int argc, char **argv)
{
	bool fixed = false;
	struct demo_option options[] = {
		{"--fixed", "take the lock around the fork (pthread_atfork)", .flag = &fixed},
		{0},
	};
	pthread_t thread;
	pid_t pid;

	demo_options(argc, argv, "", options);
	pthread_barrier_init(&is_locked, NULL, 2);
	pthread_barrier_init(&may_unlock, NULL, 2);
	pthread_create(&thread, NULL, logger, NULL);
	pthread_barrier_wait(&is_locked);
	if (fixed) {
		pthread_atfork(lock_log, unlock_log, unlock_log);
		pthread_barrier_wait(&may_unlock);
	}
	pid = fork();
	if (pid < 0)
		demo_die("fork");
	if (pid == 0) {
		/* Of the threads only this one is here; of the memory everything, locked locks included. */
		pthread_mutex_lock(&log_lock);
		printf("child logs\n");
		fflush(stdout);
		pthread_mutex_unlock(&log_lock);
		_exit(0);
	}
	if (!fixed)
		pthread_barrier_wait(&may_unlock);
	pthread_join(thread, NULL);
	waitpid(pid, NULL, 0);
	return 0;
}
