/* loop_until_term.c - an event loop and its worker rest until SIGTERM, whose handler wakes the loop. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * all: stuck
 * source: the healthy twin of loop_waits_for_worker.c
 */
#include "loop.h"

int main(void)
{
	return loop(wake_loop);
}
