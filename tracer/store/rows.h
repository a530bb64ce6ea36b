/* rows.h - rows in memory as a virtual table of SQLite: how the store hands over many at once. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_STORE_ROWS_H
#define TRACER_STORE_ROWS_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

struct sqlite3;

enum { STORE_MAX_COLUMNS = 64 }; /* as many as struct store_variant has bits */

/* AUTO and INT: a number, STORE_NULL for NULL. WORD: a pointer. TEXT: a place in the arena counted from 1, 0 for NULL. BLOB: the same and a length in the next cell. */
enum cell_type { CELL_END, CELL_AUTO, CELL_INT, CELL_WORD, CELL_TEXT, CELL_BLOB };

struct column {
	const char *name;
	enum cell_type type;
};

struct table_info {
	const char *name;
	size_t rows; /* how many rows are collected before they are written */
	size_t row_size;
	struct column columns[STORE_MAX_COLUMNS];
};

/* Rows of one table. */
struct store_rows {
	char *data; /* n rows of info->row_size bytes */
	size_t n;
	struct buf arena; /* texts of these rows */
};

/* What the virtual table of one table shows: rows is set before each use. */
struct store_source {
	const struct table_info *info;
	const struct store_rows *rows;
	int cells[STORE_MAX_COLUMNS]; /* where each column is in a row */
};

/*
 * Makes rows readable in SQL as the table rows_NAME with the columns c0, c1...
 * source is borrowed until db is closed. Returns an SQLite result code.
 */
int store_rows_register(struct sqlite3 *db, struct store_source *source);

#endif
