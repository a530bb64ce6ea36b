/* sem_posted_by_aio.c - main waits for a semaphore that a thread of the C library's posts when it has read something. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: aio_read(3) with SIGEV_THREAD
 */
#include <aio.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

static sem_t done;

static void post(union sigval value)
{
	(void)value;
	sem_post(&done);
}

int main(void)
{
	static char data[8];
	static struct aiocb request;
	int fd[2];

	if (pipe(fd) != 0 || sem_init(&done, 0, 0) != 0)
		return 1;
	request.aio_fildes = fd[0];
	request.aio_buf = data;
	request.aio_nbytes = 1;
	request.aio_sigevent.sigev_notify = SIGEV_THREAD;
	request.aio_sigevent.sigev_notify_function = post;
	aio_read(&request);
	if (fork() == 0) {
		sleep(60);
		(void)write(fd[1], "x", 1);
		_exit(0);
	}
	while (sem_wait(&done) != 0)
		;
	return 0;
}
