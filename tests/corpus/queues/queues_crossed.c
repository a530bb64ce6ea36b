/* queues_crossed.c - two processes each receive from the queue that the other would have to fill, and one waits for the end of the other. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: the twin of queue_served, where somebody waits for the receiver to end
 */
#include <stdlib.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	struct {
		long type;
		char text[8];
	} message;
	int there = msgget(IPC_PRIVATE, 0600);
	pid_t child;

	if (there < 0) {
		puts("skip: System V message queues cannot be had here");
		return 0;
	}
	child = fork();
	if (child == 0) {
		(void)msgrcv(there, &message, sizeof message.text, 0, 0);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	msgctl(there, IPC_RMID, NULL);
	return 0;
}
