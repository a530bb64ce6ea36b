/* finding.h - building the list of findings. */
/* SPDX-License-Identifier: MIT */
#ifndef VERDICT_FINDING_H
#define VERDICT_FINDING_H

#include "verdict/verdict.h"

/*
 * Appends a finding of the named rule, with its severity from findings.def and
 * nothing else set; certain. The pointer is valid until the next one is added.
 */
struct finding *finding_add(struct findings *fs, const char *rule, int64_t ts_ns);

/* Appends a member; the pointer is valid until the next one is added to this finding. */
struct finding_member *finding_member_add(struct finding *f);

/* Sets a text from a buffer, which is empty afterwards. */
void finding_set(char **text, struct buf *b);

/* Appends a copy of a finding. */
void finding_copy(struct findings *fs, const struct finding *f);

/* Frees what a finding has; it is empty then. */
void finding_done(struct finding *f);

/* Removes and frees the last finding. */
void finding_drop(struct findings *fs);

/* Puts findings into the order that struct findings promises. */
void findings_sort(struct findings *fs);

/* Returns the name in findings.def, which is static, or NULL if there is no such rule. */
const char *finding_rule(const char *name);

#endif
