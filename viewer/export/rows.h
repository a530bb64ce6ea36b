/* rows.h - the rows of any SQL statement as a table, CSV or JSON. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: rows.c (of any statement), table.c (a part of a table); walk.c (a whole recording, as trace viewers show
 * it) with the statements of walk_sql.c, chrome.c (the walk as JSON), perfetto.c (in Perfetto's own format).
 */
#ifndef VIEWER_EXPORT_ROWS_H
#define VIEWER_EXPORT_ROWS_H

#include <stdbool.h>

struct buf;
struct export_rows;
struct sqlite3_stmt;

/*
 * TABLE  aligned columns for people; control characters are shown as \xNN
 * JSON   one array of objects
 * JSONL  one object a line
 * CSV    as RFC 4180 says, with a line of names; bytes are as they were stored
 */
enum export_format { EXPORT_TABLE, EXPORT_JSON, EXPORT_JSONL, EXPORT_CSV };

/*
 * Returns an object that formats the rows of a prepared statement, which stays
 * the caller's. printable: escape in CSV what a terminal could act on. Freed
 * with export_rows_free.
 */
struct export_rows *export_rows_new(
	struct sqlite3_stmt *st, enum export_format format, bool printable);
void export_rows_free(struct export_rows *e);

/*
 * Adds the next piece of output, which may be many rows. Returns 1 if there is
 * more, 0 after the end, -EIO on an error, of which sqlite3_errmsg knows more.
 */
int export_rows_next(struct export_rows *e, struct buf *out);

#endif
