/* pty_answered_at_usr1.c - a parent polls the terminal of its child, and answers when SIGUSR1 tells it to. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: the healthy twin of pty_polled_for_prompt.c
 */
#include "prompt.h"

int main(void)
{
	return wait_for_prompt(answer);
}
