/* recording.h - hand-made recordings for tests of the viewer. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_VIEWER_RECORDING_H
#define TESTS_UNIT_VIEWER_RECORDING_H

#include "base/banned.h"

#include <sqlite3.h>

struct trace;

/* The row that every recording has: of one millisecond, closed properly. */
#define TRACE_ROW                                                                                  \
	"INSERT INTO trace(id, command, duration_ns, complete) VALUES (1, '[\"x\"]', 1000000, 1);"

/* A recording in memory, made by these statements. Closed by the caller. */
sqlite3 *recording_of(const char *sql);

/* The same, loaded. Freed by the caller with trace_free. */
struct trace *recording_load(sqlite3 *db);

#endif
