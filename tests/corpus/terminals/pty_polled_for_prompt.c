/* pty_polled_for_prompt.c - a parent polls a terminal for a prompt that never comes, as expect(1) does. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: pexpect/pexpect#601, pexpect/pexpect#756
 */
#include "prompt.h"

int main(void)
{
	return wait_for_prompt(SIG_DFL);
}
