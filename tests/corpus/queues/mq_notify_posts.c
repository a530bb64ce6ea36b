/* mq_notify_posts.c - main waits for a semaphore that a thread of the C library's posts when a message has come. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: mq_notify(3) with SIGEV_THREAD
 */
#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static sem_t arrived;

static void post(union sigval value)
{
	(void)value;
	sem_post(&arrived);
}

int main(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = post};
	struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};
	char name[32];
	mqd_t queue;

	(void)snprintf(name, sizeof name, "/pptrace-notify-%d", (int)getpid());
	queue = mq_open(name, O_CREAT | O_RDWR, 0600, &attr);
	if (queue < 0 || sem_init(&arrived, 0, 0) != 0 || mq_notify(queue, &event) != 0) {
		printf("skip: no message queues here\n");
		return 0;
	}
	mq_unlink(name);
	if (fork() == 0) {
		sleep(60);
		mq_send(queue, "x", 1, 0);
		_exit(0);
	}
	while (sem_wait(&arrived) != 0)
		;
	return 0;
}
