/* workers.h - a process whose worker takes orders from a POSIX queue that others know by its name. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_WORKERS_H
#define TESTS_CORPUS_WORKERS_H

#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char queue_name[32];

/* Returns the worker, in its parent. */
static pid_t begin_worker(void)
{
	struct mq_attr attributes = {.mq_maxmsg = 4, .mq_msgsize = 64};
	char order[64];
	pid_t worker;
	mqd_t queue;

	/* Who is killed leaves its queue behind: one of a few, which the next one of that number makes anew. */
	(void)snprintf(queue_name, sizeof queue_name, "/pptrace-orders.%d", (int)getpid() % 64);
	(void)mq_unlink(queue_name);
	queue = mq_open(queue_name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
	if (queue == (mqd_t)-1) {
		puts("skip: no POSIX message queues");
		exit(0);
	}
	worker = fork();
	while (worker == 0 && mq_receive(queue, order, sizeof order, NULL) >= 0)
		;
	return worker ? worker : (_exit(0), 0);
}

#endif
