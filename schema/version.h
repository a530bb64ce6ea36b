/* version.h - the version of the file format: a major and a minor number. */
/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_VERSION_H
#define SCHEMA_VERSION_H

#include <stdbool.h>

struct buf;
struct sqlite3;

/*
 * PRAGMA user_version holds 1000 * major + minor; a number below 1000 is a major
 * version itself, with minor 0. A reader refuses another major version, reads a
 * newer minor one as if it were its own, and of an older one all but what that
 * lacks.
 */
enum {
	VERSION_MAJOR = 1,
	VERSION_MINOR = 0
#define MINOR(number, columns) +1
#include "schema/versions.def"
#undef MINOR
	,
	VERSION_NUMBER = 1000 * VERSION_MAJOR + VERSION_MINOR
};

/* The two parts of a number that stands in a file. */
unsigned version_major(unsigned number);
unsigned version_minor(unsigned number);

/* Says whether a recording has a table, or a column of one ("lock_hold.count"). */
bool version_has(struct sqlite3 *db, const char *item);

/*
 * name is a column or table that SQLite does not find, perhaps behind an alias
 * ("w.stack_id"). If a later minor version brought it, adds a sentence that says
 * so and returns 1; returns 0 if it is simply not there.
 */
int version_explain(struct sqlite3 *db, const char *name, struct buf *out);

#endif
