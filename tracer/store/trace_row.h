/* trace_row.h - the one row of the table trace. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_STORE_TRACE_ROW_H
#define TRACER_STORE_TRACE_ROW_H

#include <stdint.h>

struct sqlite3;
struct tracer_config;
struct tracer_outcome;

/* Writes the row of a recording that begins. Returns 0 or -EIO. */
int trace_row_begin(struct sqlite3 *db, const struct tracer_config *config, const char *backend,
	int64_t started_unix_ns);

/* Adds sentences, one a line, to blind_spots; one that is there already is not repeated. Returns 0 or -EIO. */
int trace_row_blind(struct sqlite3 *db, const char *lines);

/* Writes how the command ended, and that the file is complete. Returns 0 or -EIO. */
int trace_row_end(struct sqlite3 *db, const struct tracer_outcome *outcome);

#endif
