/* commands.c - find a subcommand. */
/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"

#include <string.h>

#include "base/nearest.h"

static struct {
	const struct command *const *list;
	size_t n;
} commands;

void commands_set(const struct command *const *list, size_t n)
{
	commands.list = list;
	commands.n = n;
}

const struct command *commands_next(size_t *pos)
{
	return *pos < commands.n ? commands.list[(*pos)++] : NULL;
}

const struct command *commands_find(const char *name)
{
	const struct command *c;

	for (size_t pos = 0; (c = commands_next(&pos));)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

char *commands_nearest(const char *typed)
{
	struct nearest n = {.typed = typed};
	const struct command *c;

	for (size_t pos = 0; (c = commands_next(&pos));)
		nearest_try(&n, c->name);
	return n.best;
}
