/* sigchld_merged_by_fd.c - two children end, a signalfd tells of one: the parent reaps one, and waits for a second signal. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: openSUSE/catatonit#4 (hangs due to signal coalescing)
 */
#include "sigchld_by_fd.h"

int main(void)
{
	(void)two_children(SIG_DFL);
	return count_children(2, false);
}
