/* killed_by_sibling.c - a parent waits for a child that reads from the parent's own pipe; another child, a watchdog, will kill that one. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock
 * source: the idiom (sleep 60; kill $pid) & of shell scripts; timeout(1) is the program for it
 */
#include "sibling.h"

#include <signal.h>

int main(void)
{
	pid_t reader = sleeper_beside_reader();

	return reader ? finish(reader) : (sleep(60), kill(first_child, SIGTERM));
}
