/* commands.c - find a subcommand. */
/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"

#include <string.h>

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

/* Levenshtein's distance; names are short, what is longer is no misspelling. */
static unsigned distance(const char *a, const char *b)
{
	enum { LONGEST = 24 };
	unsigned row[LONGEST + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > LONGEST || lb > LONGEST)
		return LONGEST;
	for (size_t j = 0; j <= lb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[lb];
}

const struct command *commands_nearest(const char *typed)
{
	const struct command *c, *best = NULL;
	unsigned least = 3; /* more differences than two are no misspelling */

	for (size_t pos = 0; (c = commands_next(&pos));) {
		unsigned d = distance(typed, c->name);

		if (d < least) {
			least = d;
			best = c;
		}
	}
	return best;
}
