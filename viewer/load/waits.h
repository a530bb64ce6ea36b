/* waits.h - the table wait in memory: read once, whatever is drawn of it. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_LOAD_WAITS_H
#define VIEWER_LOAD_WAITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/waits.h"
#include "viewer/load/load.h"

struct buf;

/* Indexes in the trace are plus 1, 0: none, or of a row that the recording does not have. */
struct wait_row {
	int64_t id, from, to;               /* TIME_NEVER: has not ended */
	int64_t lock_id, pipe_id, stack_id; /* 0: none */
	uint32_t thread, waker, target_thread, target_proc;
	enum wait_reason reason;
};

/* In the order of ids. */
struct wait_rows {
	struct wait_row *list;
	size_t n, cap;
	bool is_loaded;
};

/*
 * Returns the waits of a trace, which reads them when it is asked first and keeps them; or NULL after an error, of which
 * *ret_why is a text that the caller frees. There may be ten million: what walks them does little for each.
 */
const struct wait_rows *trace_waits(const struct trace *t, struct sqlite3 *db, char **ret_why);
void trace_free_waits(struct trace *t);

/* Returns the index of a row as it is, or NONE. */
static inline size_t wait_index(uint32_t plus_one)
{
	return plus_one ? plus_one - 1 : NONE;
}

/* Says whether a wait lasts at that time: it has begun, and ends later. */
static inline bool wait_lasts_at(const struct wait_row *w, int64_t at)
{
	return w->from <= at && w->to > at;
}

#endif
