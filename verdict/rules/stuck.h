/* stuck.h - the findings of the wait-for graph, now or when somebody ended them. */
/* SPDX-License-Identifier: MIT */
#ifndef VERDICT_RULES_STUCK_H
#define VERDICT_RULES_STUCK_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct findings;
struct sqlite3;

/*
 * verdict_stuck; all: hidden sets too; ended: for the end of the trace, also
 * the sets that stood when one of their members was ended.
 */
int stuck_find(struct sqlite3 *db, int64_t at_ns, bool all, bool ended, struct findings *ret,
	struct buf *why);

/* Adds those of the sets reported while the trace lasted that a signal ended and that are not among fs. */
int stuck_keep(
	struct sqlite3 *db, const struct findings *reported, struct findings *fs, struct buf *why);

#endif
