/* rule_busy.c - loops that burn processor time until another thread does something. */
/* SPDX-License-Identifier: MIT */
#include "verdict/rules.h"

int rule_busy_wait(struct rule_context *ctx)
{
	(void)ctx;
	return 0;
}
