/* ticks.h - where a time axis has its marks, and what they say. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_DRAW_TICKS_H
#define VIEWER_DRAW_TICKS_H

#include <stdint.h>

struct buf;

/*
 * Returns the distance of the marks: 1, 2 or 5 times a power of ten
 * nanoseconds (above ten seconds: parts of minutes and hours), such that from
 * since to until there are at most max of them, max being at least 2.
 */
int64_t ticks_step(int64_t since, int64_t until, unsigned max);

/* Returns the first mark at or after since. */
int64_t ticks_first(int64_t since, int64_t step);

/* Adds the words of a mark: "250 ms", "1.5 s", "2:30" in the unit that the step asks for. */
void ticks_label(struct buf *b, int64_t ns, int64_t step);

#endif
