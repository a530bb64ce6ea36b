/* sigwait_merged.c - two children end, sigwait tells of one: the parent reaps one, and waits for a second signal. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: the glibc manual, "Merged Signals"; Yelp/dumb-init's loop of sigwait, as written without WNOHANG
 */
#include "sigwait_children.h"

int main(void)
{
	(void)two_children(SIG_DFL);
	return count_children(2, false);
}
