/* signalfd_until_term.c - main joins a thread that polls a signalfd for SIGTERM. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of signalfd_no_child
 */
#include "tests/corpus/events/signals.h"

int main(void)
{
	return join_until(SIGTERM);
}
