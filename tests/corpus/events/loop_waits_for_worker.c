/* loop_waits_for_worker.c - an event loop has no source but the worker that would wake it, which waits for the loop to signal. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck deadlock
 * source: cfsamson/book-exploring-async-basics#61 (a thread in epoll that nobody wakes)
 */
#include "loop.h"

int main(void)
{
	return loop(SIG_DFL);
}
