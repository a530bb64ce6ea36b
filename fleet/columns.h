/* columns.h - the tables and columns of a recording, as schema.sql has them. */
/* SPDX-License-Identifier: MIT */
#ifndef FLEET_COLUMNS_H
#define FLEET_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct sqlite3;

/* Those that are not texts or bytes are whole numbers: SQLite's INTEGER. */
enum column_type { COLUMN_NUMBER, COLUMN_TEXT, COLUMN_BYTES };

/*
 * ID      a row of some table of the same recording: its name is "id" or ends in "_id"
 * IDS     a JSON array of such numbers
 * MOMENT  nanoseconds since the start of the recording
 * PLAIN   anything else, lengths of time included
 */
enum column_meaning { COLUMN_PLAIN, COLUMN_ID, COLUMN_IDS, COLUMN_MOMENT };

struct column {
	char *name;
	enum column_type type;
	enum column_meaning meaning;
	bool nullable;
	bool is_key; /* rows are told apart by the columns that are */
};

/*
 * rowid: no column tells the rows apart, SQLite's rowid does.
 * open_end: the column whose NULL says that the row is not complete yet, in a table that
 * grows at its end with everything that happens; NULL: a table that stays small, or whose rows change otherwise.
 */
struct table {
	char *name;
	struct column *columns;
	size_t n;
	bool rowid;
	const char *open_end;
};

struct tables {
	struct table *list; /* in the order of schema.sql */
	size_t n;
};

/* Returns 0 and the tables, freed with columns_done; or -EIO with a sentence in why. */
int columns_load(struct tables *ret, struct buf *why);
void columns_done(struct tables *t);

/* Returns the table of that name, or NULL. */
const struct table *columns_table(const struct tables *t, const char *name);

#endif
