/* sem_gate_shut.c - the thread that closes a gate waits for a worker that stands before it, and nobody is left to open it. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: the twin of sem_gate.c
 */
#include "gate.h"

int main(void)
{
	return work(0);
}
