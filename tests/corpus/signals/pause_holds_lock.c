/* pause_holds_lock.c - a child that has a robust mutex waits for a signal without a handler; somebody who sleeps will kill it. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of pause_without_handler: how EOWNERDEAD is tried (pthread_mutexattr_setrobust(3))
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
	pthread_mutex_t *mutex =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attr;
	int taken[2];
	pid_t child;
	char c;

	if (pipe(taken) != 0)
		return 1;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(mutex, &attr);
	child = fork();
	if (child == 0) {
		pthread_mutex_lock(mutex);
		(void)!write(taken[1], "x", 1);
		pause();
		_exit(0);
	}
	if (fork() == 0) {
		sleep(60);
		kill(child, SIGKILL);
		_exit(0);
	}
	(void)!read(taken[0], &c, 1);
	return pthread_mutex_lock(mutex) != EOWNERDEAD;
}
