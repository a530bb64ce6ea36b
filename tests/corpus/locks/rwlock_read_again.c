/* rwlock_read_again.c - a thread reads again what it reads already; a writer waits between, whom the lock prefers. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: Amanieu/parking_lot#212, tokio-rs/tokio#2849, lightningdevkit/rust-lightning#2006
 */
#include "tests/corpus/locks/rwlock.h"

int main(void)
{
	read_again(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP, 0);
	return 0;
}
