/* store.h - keep rows in a SQLite database, many at a time. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_STORE_H
#define TRACER_STORE_H

#include <stddef.h>
#include <stdint.h>

struct sqlite3;
struct store;

/*
 * Prepared multi-row inserts into the tables of schema/schema.sql. Errors stick: after the first
 * failure (disk full) every call returns the same negative errno and changes
 * nothing, and store_error says what SQLite said. The store owns the database
 * connection; other connections may read at any time.
 */

/* Creates the file (db_create). Returns 0 and *ret, freed with store_close; or -errno and *ret_why, which the caller frees. */
int store_open(const char *path, struct store **ret, char **ret_why);

/* Commits all rows so far and makes them visible to readers; starts the next transaction. */
int store_commit(struct store *st);

/* Makes the indexes, ends WAL mode (a single plain file if no reader is there) and closes. Accepts NULL. */
int store_close(struct store *st);

/* Returns the connection, for statements that are run rarely; the store keeps it. */
struct sqlite3 *store_db(struct store *st);

/* Returns what went wrong with the SQL it happened in, or NULL; valid until store_close. */
const char *store_error(const struct store *st);

#endif
