/* sigio_posts.c - the handler of SIGIO posts the semaphore that main waits for, once a child that sleeps has written. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: fcntl(2), O_ASYNC
 */
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

static sem_t arrived;

static void post(int signo)
{
	(void)signo;
	sem_post(&arrived);
}

int main(void)
{
	struct sigaction action = {.sa_handler = post, .sa_flags = SA_RESTART};
	int fd[2];

	sem_init(&arrived, 0, 0);
	sigaction(SIGIO, &action, NULL);
	if (pipe(fd) != 0 || fcntl(fd[0], F_SETOWN, getpid()) != 0 ||
		fcntl(fd[0], F_SETFL, O_ASYNC) != 0)
		return 1;
	if (fork() == 0) {
		sleep(60);
		(void)write(fd[1], "x", 1);
		_exit(0);
	}
	while (sem_wait(&arrived) != 0)
		;
	return 0;
}
