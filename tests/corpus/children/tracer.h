/* tracer.h - a parent that has stopped a thread of its child with ptrace, while that has a mutex which the child's main thread wants. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_SIGNALS_TRACER_H
#define TESTS_CORPUS_SIGNALS_TRACER_H

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int told[2];

static inline void *work_locked(void *arg)
{
	pid_t tid = (pid_t)syscall(SYS_gettid);

	pthread_mutex_lock(&mutex);
	(void)!write(told[1], &tid, sizeof tid);
	for (;;)
		usleep(20000);
	return arg;
}

/* Returns the child once its worker has been stopped. */
static inline pid_t stop_worker(void)
{
	pid_t child, worker = 0;
	pthread_t t;

	if (pipe(told) < 0)
		exit(1);
	child = fork();
	if (child == 0) {
		pthread_create(&t, NULL, work_locked, NULL);
		usleep(200000);
		pthread_mutex_lock(&mutex);
		_exit(0);
	}
	if (read(told[0], &worker, sizeof worker) != sizeof worker ||
		ptrace(PTRACE_SEIZE, worker, 0, 0) != 0) {
		puts("skip: ptrace is not permitted here");
		fflush(stdout);
		kill(child, SIGKILL);
		_exit(0);
	}
	ptrace(PTRACE_INTERRUPT, worker, 0, 0);
	waitpid(worker, NULL, __WALL);
	return child;
}

#endif
