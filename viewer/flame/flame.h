/* flame.h - how long threads waited, by their stacks: folded lines and a flame graph. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: flame.c (rows to a tree, the tree as folded lines), svg.c (the tree as a
 * picture, with flame.js for those who click).
 */
#ifndef VIEWER_FLAME_FLAME_H
#define VIEWER_FLAME_FLAME_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct flame;
struct sqlite3;

/* A part of a recording: what was waited within that time, in nanoseconds, by these processes (names or numbers; none: all). */
struct flame_part {
	int64_t since, until;
	const char *const *processes;
	size_t n_processes;
};

/*
 * Adds up the waits of a recording by program, stack and what was waited for; part: NULL for all. A wait whose stack was
 * not taken has the place alone. Returns 0 and *ret, freed with flame_free; or -errno with one sentence in why.
 */
int flame_load(
	struct sqlite3 *db, const struct flame_part *part, struct flame **ret, struct buf *why);
void flame_free(struct flame *f);

/*
 * Adds the folded form that flame graph tools read, a line a stack, the outermost frame first, in microseconds:
 *
 *	bank;main;transfer;my_lock;[lock: mutex audit] 1200345
 */
void flame_folded(const struct flame *f, struct buf *out);

/* Adds an SVG picture, in a browser as wide as the window; a click on a frame, or Enter, shows what it rests on in full width. */
void flame_svg(const struct flame *f, const char *title, struct buf *out);

#endif
