/* holds.h - the locks that were held for long, where there are too many holds to read each. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_LOAD_HOLDS_H
#define VIEWER_LOAD_HOLDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;
struct trace;

/* A hold that has ended. */
struct hold_row {
	int64_t id, from, to, lock_id;
	size_t thread; /* NONE: that the recording does not have */
	bool is_shared;
};

/* The longest first. */
struct long_holds {
	struct hold_row *list;
	size_t n, cap;
	bool is_loaded;
};

/* What lasts for so small a part of a run is long: a picture of all of it has no more columns. */
enum { HOLD_PARTS = 40000 };

/*
 * Adds the holds with ids from first to last that lasted at least that long, at most 100,000 of them, so that a page
 * stays small: of ten million rows SQLite looks at two columns, which takes less than a second. Returns NULL or what went wrong as text that the caller frees.
 */
char *long_holds_load(struct long_holds *ret, const struct trace *t, struct sqlite3 *db,
	int64_t first, int64_t last, int64_t least_ns);

/*
 * Returns those of the whole run, which are read when they are asked for first, and kept; or NULL after an error, of
 * which *ret_why is a text that the caller frees.
 */
const struct long_holds *trace_long_holds(
	const struct trace *t, struct sqlite3 *db, char **ret_why);
void trace_free_long_holds(struct trace *t);

#endif
