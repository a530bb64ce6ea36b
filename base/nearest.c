/* nearest.c - the word that somebody meant who typed another one. */
/* SPDX-License-Identifier: MIT */
#include "base/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

enum {
	LONGEST = 40,     /* what is longer is no misspelling */
	MOST = 2,         /* nor is what differs in more letters */
	PREFIX_LEAST = 3, /* so many letters of a word stand for it */
	FAR = 1000
};

static int fold(char c)
{
	return c == '_' ? '-' : tolower((unsigned char)c);
}

static unsigned min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance, in which two letters that changed places count as one difference. */
static unsigned distance(const char *a, const char *b)
{
	unsigned rows[3][LONGEST + 1] = {{0}};
	size_t la = strlen(a), lb = strlen(b);

	if (la > LONGEST || lb > LONGEST)
		return FAR;
	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i - 1) % 3], *third = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			bool same = fold(a[i - 1]) == fold(b[j - 1]);

			row[j] = min(above[j - 1] + !same, min(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
				fold(a[i - 2]) == fold(b[j - 1]))
				row[j] = min(row[j], third[j - 2] + 1);
		}
	}
	return rows[la % 3][lb];
}

void nearest_try(struct nearest *n, const char *word)
{
	size_t len = strlen(n->typed), other = strlen(word), longer = len > other ? len : other;
	unsigned d = distance(n->typed, word);

	/* Two letters are all of "ab", and half of "nope": that is no "top". */
	if (d > MOST || d >= len || (d > 1 && 2 * d >= longer)) {
		if (len < PREFIX_LEAST || strncasecmp(word, n->typed, len) != 0)
			return;
		d = MOST;
	}
	if (n->best && d >= n->least)
		return;
	free(n->best);
	n->best = xstrdup(word);
	n->least = d;
}

void nearest_done(struct nearest *n)
{
	free(n->best);
	n->best = NULL;
}
