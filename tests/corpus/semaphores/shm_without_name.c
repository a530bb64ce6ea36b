/* shm_without_name.c - a process waits for a semaphore in shared memory that nobody else has, and whose name is gone. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: the twin of shm_partner_later.c
 */
#include "shm.h"

int main(void)
{
	return wait_for_partner(true);
}
