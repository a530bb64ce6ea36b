/* sibling_sleeps.c - a parent waits for a child that reads from the parent's own pipe, beside another child that will not kill anybody. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: pipe(7), "should use suitable close(2) calls to close unnecessary duplicate file descriptors"
 */
#include "sibling.h"

int main(void)
{
	pid_t reader = sleeper_beside_reader();

	return reader ? finish(reader) : (int)sleep(60);
}
