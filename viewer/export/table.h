/* table.h - a part of a table or view. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_EXPORT_TABLE_H
#define VIEWER_EXPORT_TABLE_H

struct buf;
struct export_filter;
struct sqlite3;
struct sqlite3_stmt;

/*
 * Prepares the statement that reads those rows of a table or view that the filter wants: of its processes and threads,
 * and within its time; its kinds are those of the view event. Returns 0 and *ret; -ENOENT if the recording has no such table;
 * -EINVAL with a sentence in why if the filter makes no sense for this table, -EIO likewise after an error.
 */
int export_select(struct sqlite3 *db, const char *table, const struct export_filter *filter,
	struct sqlite3_stmt **ret, struct buf *why);

#endif
