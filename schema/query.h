/* query.h - short forms for reading rows with SQLite. */
/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_QUERY_H
#define SCHEMA_QUERY_H

#include "base/mem.h"

#include <sqlite3.h>
#include <stdbool.h>

struct buf;

/* Finishes *stmt when the scope ends. */
void query_cleanup(sqlite3_stmt **stmt);
#define _cleanup_stmt_ __attribute__((cleanup(query_cleanup)))

/* Prepares sql. Returns 0 and *ret, or -EIO and what SQLite said in why. */
int query_open(struct sqlite3 *db, const char *sql, sqlite3_stmt **ret, struct buf *why);

/*
 * Steps. Returns 1 with a row, 0 after the last one, -EIO after an error,
 * which is then in why. Texts of the row are valid until the next step.
 */
int query_step(sqlite3_stmt *stmt, struct buf *why);

/* Prepares sql, binds up to one number as ?1, and steps once: as query_step. The row stays readable in *ret. */
int query_one(
	struct sqlite3 *db, const char *sql, int64_t arg, sqlite3_stmt **ret, struct buf *why);

/* Returns the one number that sql yields for ?1 = arg, or fallback: no row, NULL or an error. */
int64_t query_number(struct sqlite3 *db, const char *sql, int64_t arg, int64_t fallback);

/* The same for ?1 = a and ?2 = b. */
int64_t query_pair(struct sqlite3 *db, const char *sql, int64_t a, int64_t b, int64_t fallback);

/* Return a column; a NULL text is "", a NULL number is the fallback. */
const char *query_text(sqlite3_stmt *stmt, int col);
int64_t query_int(sqlite3_stmt *stmt, int col, int64_t fallback);
bool query_null(sqlite3_stmt *stmt, int col);

#endif
