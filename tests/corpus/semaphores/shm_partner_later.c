/* shm_partner_later.c - a process waits for a semaphore in shared memory with a name, for a partner that has not been started yet. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock
 * source: shm_overview(7): processes that find each other by a file in shared memory
 */
#include "shm.h"

int main(void)
{
	return wait_for_partner(false);
}
