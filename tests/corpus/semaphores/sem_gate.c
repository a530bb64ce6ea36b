/* sem_gate.c - a semaphore that was used like a lock so far is closed by one thread, and another one will open it. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock
 * source: the turnstiles of Downey's Little Book of Semaphores
 */
#include "gate.h"

int main(void)
{
	return work(60);
}
