/* tables.h - the tables of a page. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_PAGE_TABLES_H
#define VIEWER_PAGE_TABLES_H

#include <stdbool.h>

struct buf;
struct pipe_uses;
struct sqlite3;
struct trace;

/* Which processes and threads have a box in the tree that a row can lead to. */
struct page_shown {
	bool *procs, *threads; /* by their rows in the trace */
};

/*
 * Each adds a section with a table, or nothing if it would be empty. Rows have
 * the ids that pictures link to (row-p1, row-t1, row-lock1, row-pipe1), and
 * name the boxes that show them. Those that read the database return NULL or
 * what went wrong, which the caller frees.
 */
void page_processes(struct buf *out, const struct trace *t, const struct page_shown *shown);
void page_threads(struct buf *out, const struct trace *t, const struct page_shown *shown);
char *page_locks(struct buf *out, const struct trace *t, struct sqlite3 *db);
char *page_pipes(struct buf *out, const struct pipe_uses *uses, struct sqlite3 *db);
char *page_signals(struct buf *out, const struct trace *t, struct sqlite3 *db);

/* Adds a text, or a duration, escaped for HTML. */
void page_text(struct buf *out, const char *text);
void page_time(struct buf *out, long long ns);

#endif
