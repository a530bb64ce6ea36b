/* interrupted.h - when somebody outside interrupted or killed a program. */
/* SPDX-License-Identifier: MIT */
#ifndef VERDICT_RULES_INTERRUPTED_H
#define VERDICT_RULES_INTERRUPTED_H

#include "verdict/finding.h"
#include "verdict/verdict.h"

struct interruptions {
	struct interruption list[64]; /* by time */
	size_t n;
};

/* Finds those of a recording. Returns 0 or -errno with a sentence in why. */
int interruptions_find(struct sqlite3 *db, struct interruptions *ret, struct buf *why);

/* Returns the last one from one time to another, or NULL. */
const struct interruption *interruptions_between(
	const struct interruptions *in, int64_t from_ns, int64_t to_ns);

/* How the line begins that interruption_note adds. */
extern const char interruption_words[];

/* Adds to the explanation of a finding that it lasted until then. */
void interruption_note(struct finding *f, const struct interruption *in);

#endif
