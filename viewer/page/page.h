/* page.h - one HTML page that shows all of a trace. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: page.c, tables.c, explore.c, folds.c and path.c (the timeline and the critical path as data), base64.c, sha256.c;
 * page.css, dark.css, page.js and the scripts in explore/ (data, words, view, draw, moment, explore) are embedded.
 */
#ifndef VIEWER_PAGE_PAGE_H
#define VIEWER_PAGE_PAGE_H

struct buf;
struct sqlite3;
struct trace;

/*
 * Adds the page: verdict, pictures, tables. It is complete by itself: nothing
 * is fetched, and its Content-Security-Policy allows only its own style and
 * script. Returns 0, or a negative errno with one sentence in why.
 */
int page_make(const struct trace *t, struct sqlite3 *db, struct buf *out, struct buf *why);

#endif
