/* posix_queue_late.c - a process fills the queue of another one, which has something else to do before it reads; the name is gone. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of posix_queues_full.c
 */
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};
	char message[8] = "", name[64];
	mqd_t q;
	pid_t child;

	(void)snprintf(name, sizeof name, "/pptrace-corpus-late-%d", (int)getpid());
	q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	if (q == (mqd_t)-1) {
		puts("skip: POSIX message queues cannot be had here");
		return 0;
	}
	mq_unlink(name);
	child = fork();
	if (!child)
		sleep(60);
	for (int i = 0; i < 2; i++)
		(void)(child ? mq_send(q, message, sizeof message, 0)
			     : (int)mq_receive(q, message, sizeof message, NULL));
	waitpid(child, NULL, 0);
	return 0;
}
