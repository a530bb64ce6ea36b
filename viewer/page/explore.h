/* explore.h - the timeline as data, for the script of the page that looks into it. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_PAGE_EXPLORE_H
#define VIEWER_PAGE_EXPLORE_H

#include <stdint.h>

struct buf;
struct sqlite3;
struct timeline;
struct trace;

/*
 * Adds two templates, which a browser without scripts does not show:
 * "explore-head", a JSON object with lanes, reasons, what is waited for, places,
 * marks, arrows, the critical path and findings; and "explore-spans", in base64 an array of
 * EXPLORE_SPAN bytes for each span, ordered by lane and start. Intervals that
 * are too short to be told apart by anybody are added up, so that a page of
 * any recording is at most some megabytes long. Returns NULL, or what went
 * wrong as text that the caller frees. *ret_sentence says where the time went.
 */
char *explore_add(
	struct buf *out, const struct trace *t, struct sqlite3 *db, struct buf *ret_sentence);

/* Adds the critical path as JSON arrays [lane, from, to] with commas between them. Returns the same way. */
char *explore_add_path(
	struct buf *b, const struct timeline *tl, struct sqlite3 *db, struct buf *ret_sentence);

/*
 * Lanes that are alike stand together at first. Adds the words of each fold as JSON strings with commas between
 * them, and fills ret, of as many as the timeline has lanes, with the number of each lane's fold, -1: it has none.
 */
void explore_folds(struct buf *words, const struct timeline *tl, int64_t *ret);

/*
 * A span, all numbers with the lowest byte first: lane, from, to (in 1/2^32 of
 * the time that the head names), what it is on, its place, how many it stands
 * for, the lane that ended it plus 1, or of what stands for many which part of its time they took, in 1/2^32 (32 bits each); kind, reason, flags, level (8 bits each).
 */
enum { EXPLORE_SPAN = 32 };

#endif
