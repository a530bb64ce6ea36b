/* rwlock_reader_first.c - a thread reads again what it reads already, and the lock prefers readers to the writer that waits. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of rwlock_read_again
 */
#include "tests/corpus/locks/rwlock.h"

int main(void)
{
	read_again(PTHREAD_RWLOCK_PREFER_READER_NP, 30);
	return 0;
}
