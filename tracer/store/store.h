/* store.h - keep rows in a SQLite database, many at a time. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: rows.c (rows in memory as a virtual table), insert.c (rows into SQLite),
 * writer.c (the same in a thread of its own), store.c (what the model calls), trim.c (what goes again); trace_row.c stands apart.
 */
#ifndef TRACER_STORE_STORE_H
#define TRACER_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;
struct store;
struct trim;
struct tracer_config;
struct tracer_outcome;

/*
 * Rows for the tables of schema/sql/schema.sql, handed to SQLite many at a time.
 * Errors stick: after the first failure (disk full) every call returns the same
 * negative errno and changes nothing, and store_error says what SQLite said.
 * The store owns the database connection; other connections may read at any time.
 */

/* Creates the file (db_create); path NULL: a database in memory. Returns 0 and *ret, freed with store_close; or -errno and *ret_why, which the caller frees. */
int store_open(const char *path, struct store **ret, char **ret_why);

/*
 * To be called where memory is short, with the path that was opened: small transactions, a small
 * cache, and what has been written to the file is not kept in memory.
 */
void store_save_memory(struct store *st, const char *path);

/* No transaction shall have many more bytes than this. */
void store_commit_often(struct store *st, int64_t bytes);

/* Commits all rows so far and makes them visible to readers; starts the next transaction. */
int store_commit(struct store *st);

/* As store_commit, but does not wait until it is done: readers see it a little later. */
int store_commit_later(struct store *st);

/* Makes the indexes, ends WAL mode (a single plain file if no reader is there) and closes. Accepts NULL. */
int store_close(struct store *st);

/* Says whether so many rows were added since the last commit that it is time for one, or the log grows. */
bool store_is_due(const struct store *st);

/*
 * Returns the connection, for statements that are run rarely; the store keeps
 * it. It may be used until the next call of the store; rows that were added
 * since the last commit or store_exec may not be visible.
 */
struct sqlite3 *store_db(struct store *st);

/* NULL in a column of numbers. */
#define STORE_NULL INT64_MIN

/* The tables that take rows, and for each a struct of its columns: struct row_lock_hold (see tracer/store/tables.def). */
enum store_table {
#define TABLE(NAME, name, rows, columns) STORE_##NAME,
#include "tracer/store/tables.def"
#undef TABLE
	STORE_TABLES
};

#define INT(column) int64_t column;
#define AUTO(column) int64_t column;
#define WORD(column) const char *column;
#define TEXT(column) const char *column;
#define BLOB(column)                                                                               \
	const void *column;                                                                        \
	int64_t column##_len;
#define TABLE(NAME, name, rows, columns)                                                           \
	struct row_##name {                                                                        \
		columns                                                                            \
	};
#include "tracer/store/tables.def"
#undef TABLE
#undef INT
#undef AUTO
#undef WORD
#undef TEXT
#undef BLOB

/* Adds a row (struct row_x of that table), texts copied. It is in the file after the next commit. */
void store_put(struct store *st, enum store_table t, const void *row);

/*
 * Adds a row without a copy: returns the place of it, all of whose members the
 * caller sets at once, before any other call. Only for tables without TEXT and BLOB.
 */
void *store_room(struct store *st, enum store_table t);

/* Returns the id of the row that was added last to a table whose rows the store numbers (AUTO). */
int64_t store_last_id(const struct store *st, enum store_table t);

/* Puts a row in the place of the one with the same key. */
void store_replace(struct store *st, enum store_table t, const void *row);

/* Writes the row of something that may have one already, in whose place it is put: *written says so, and is set. */
void store_write(struct store *st, enum store_table t, const void *row, bool *written);

/* The same for a table whose rows the store numbers: *id is that of the row, 0: it has none yet. */
void store_write_numbered(struct store *st, enum store_table t, const void *row, int64_t *id);

/* Runs SQL without results, perhaps a little later; an error sticks. All rows so far are visible to it. */
int store_exec(struct store *st, const char *sql);

/* Returns what went wrong with the SQL it happened in, or NULL; valid until store_close. */
const char *store_error(const struct store *st);

/* ---- What is removed again (trim.c) ---- */

/*
 * Keeps the rows of detail (holds, waits, calls, reads and writes) of the last last_ns nanoseconds (0: of all
 * time), as long as the file then has less than max_bytes (0: any number). Freed with trim_free. The store is borrowed.
 */
struct trim *trim_new(struct store *store, int64_t max_bytes, int64_t last_ns);

/* Accepts NULL. */
void trim_free(struct trim *t);

/* To be called before each commit, with the time since the start: removes what is too old or too much. */
void trim_commit(struct trim *t, int64_t now_ns);

/* Returns the time from which on all detail is there; 0: nothing was removed. trace.detail_since_ns says the same. */
int64_t trim_since(const struct trim *t);

/* ---- The one row of the table trace (trace_row.c) ---- */

/* Writes the row of a recording that begins. Returns 0 or -EIO. */
int trace_row_begin(struct sqlite3 *db, const struct tracer_config *config, const char *backend,
	int64_t started_unix_ns);

/* Adds sentences, one a line, to blind_spots; one that is there already is not repeated. Returns 0 or -EIO. */
int trace_row_blind(struct sqlite3 *db, const char *lines);

/* Writes how the command ended, and that the file is complete. Returns 0 or -EIO. */
int trace_row_end(struct sqlite3 *db, const struct tracer_outcome *outcome);

#endif
