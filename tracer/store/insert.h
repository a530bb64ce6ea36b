/* insert.h - the statements that move rows of one table into SQLite. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_STORE_INSERT_H
#define TRACER_STORE_INSERT_H

#include "tracer/store/rows.h"

#include <stdbool.h>

struct sqlite3;
struct sqlite3_stmt;

enum { STORE_VARIANTS = 8 };

/* A statement for rows in which some columns have the same value throughout. */
struct store_variant {
	struct sqlite3_stmt *stmt;
	uint64_t same, null; /* columns: one value in all rows; that value is NULL */
};

/* Those of one table; zero-initialised. */
struct store_insert {
	struct store_variant variants[STORE_VARIANTS];
	unsigned next; /* which one makes room for a new one */
	struct sqlite3_stmt *replace;
};

/*
 * Moves the rows that source shows into the table of that name, as new rows
 * or, if replacing, in the place of those with the same key. Returns an SQLite
 * result code.
 */
int store_insert(struct sqlite3 *db, struct store_insert *in, const struct store_source *source,
	bool replacing);

/* Frees the statements. */
void store_insert_done(struct store_insert *in);

#endif
