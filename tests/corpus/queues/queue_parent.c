/* queue_parent.c - the twin of queue_master_term.c: nobody can tell the parent to end, which waits for a child to which nobody sends. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: mq_receive(3), "blocks until a message arrives"
 */
#include "workers.h"

int main(void)
{
	pid_t worker = begin_worker();

	return wait(NULL) != worker;
}
