/* stuck.c - deadlock and stuck: what the wait-for graph has found, before any other rule is asked. */
/* SPDX-License-Identifier: MIT */
#include "verdict/rules/rules.h"

#include <string.h>

static int take(struct rule_context *ctx, const char *rule)
{
	for (size_t i = 0; i < ctx->stuck->n; i++)
		if (!strcmp(ctx->stuck->list[i].rule, rule))
			finding_copy(ctx->out, &ctx->stuck->list[i]);
	return 0;
}

int rule_deadlock(struct rule_context *ctx)
{
	return take(ctx, "deadlock");
}

int rule_stuck(struct rule_context *ctx)
{
	return take(ctx, "stuck");
}
