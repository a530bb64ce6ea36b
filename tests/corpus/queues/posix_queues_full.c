/* posix_queues_full.c - two processes each fill the queue of the other before they read their own; the names are gone. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: aoh/radamsa#43, with message queues in place of pipes
 */
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static mqd_t queue(const char *purpose)
{
	struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};
	char name[64];
	mqd_t q;

	(void)snprintf(name, sizeof name, "/pptrace-corpus-%s-%d", purpose, (int)getpid());
	q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	mq_unlink(name);
	return q;
}

int main(void)
{
	char message[8] = "";
	mqd_t there = queue("there"), back = queue("back");
	pid_t child;

	if (there == (mqd_t)-1 || back == (mqd_t)-1) {
		puts("skip: POSIX message queues cannot be had here");
		return 0;
	}
	child = fork();
	for (int i = 0; i < 2; i++)
		(void)mq_send(child ? there : back, message, sizeof message, 0);
	for (int i = 0; i < 2; i++)
		(void)mq_receive(child ? back : there, message, sizeof message, NULL);
	waitpid(child, NULL, 0);
	return 0;
}
