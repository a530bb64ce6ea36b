/* uses.h - what each process wrote to and read from each pipe, in sums. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_LOAD_USES_H
#define VIEWER_LOAD_USES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;
struct trace;

/* All reads, or all writes, of one pipe by one process. */
struct pipe_use {
	int64_t pipe_id;
	size_t proc; /* in trace.procs; NONE: of a thread that the recording does not have */
	bool writes;
	int64_t calls, failed, ends; /* ends: reads that returned 0, the end of file */
	double bytes;
};

/* In the order of pipe, writes before reads, and process. */
struct pipe_uses {
	struct pipe_use *list;
	size_t n, cap;
};

/*
 * Reads them: in one walk over pipe_io, which may have millions of rows, whereas SQLite would sort these to group them.
 * Returns NULL, or what went wrong as text that the caller frees; pipe_uses_done is due either way.
 */
char *pipe_uses_load(struct pipe_uses *us, const struct trace *t, struct sqlite3 *db);
void pipe_uses_done(struct pipe_uses *us);

/* Returns what that process did, or NULL: nothing. */
const struct pipe_use *pipe_uses_find(
	const struct pipe_uses *us, int64_t pipe_id, size_t proc, bool writes);

#endif
