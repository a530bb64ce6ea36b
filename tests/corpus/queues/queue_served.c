/* queue_served.c - a server rests in receiving from a queue into which others send. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of queues_crossed
 */
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <unistd.h>

int main(void)
{
	struct {
		long type;
		char text[8];
	} message;
	int requests = msgget(IPC_PRIVATE, 0600);

	if (requests < 0) {
		puts("skip: System V message queues cannot be had here");
		return 0;
	}
	alarm(60);
	while (msgrcv(requests, &message, sizeof message.text, 0, 0) >= 0)
		;
	return 0;
}
