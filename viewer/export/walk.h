/* walk.h - a recording as what trace viewers show: lives, slices, instants, holds, arrows. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_EXPORT_WALK_H
#define VIEWER_EXPORT_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct sqlite3;
struct sqlite3_stmt;

/* Which part is wanted; the texts are borrowed. */
struct export_filter {
	int64_t since_ns, until_ns;   /* INT64_MIN, INT64_MAX: all */
	const char *const *processes; /* numbers or names; n_processes 0: all */
	size_t n_processes;
	const char *const *kinds; /* as `pptrace events --kind` has them; n_kinds 0: all */
	size_t n_kinds;
};

#define EXPORT_FILTER_ALL ((struct export_filter){.since_ns = INT64_MIN, .until_ns = INT64_MAX})

enum export_what {
	EXPORT_PROCESS, /* a process: name, pid, id (its order) */
	EXPORT_THREAD,  /* a thread: name, pid, tid */
	EXPORT_SLICE,   /* from ts to end on a thread; slices of a thread nest */
	EXPORT_INSTANT, /* at ts on a thread */
	EXPORT_HOLD,    /* from ts to end on a thread; holds of a thread need not nest */
	EXPORT_ARROW /* from ts on a thread to end on the thread to_tid of to_pid, both inside of slices */
};

/* One thing to show. Texts are valid during the call. */
struct export_event {
	enum export_what what;
	const char *name, *category;
	int64_t pid, tid, ts, end, to_pid, to_tid;
	int64_t id; /* tells holds, and arrows of one category, apart */
	/* Pairs of columns, name and value, from first on; NULL: none. */
	struct sqlite3_stmt *args;
	int first;
};

/* Gets one event. Returns 0, or a negative errno that ends the walk. */
typedef int export_event_fn(void *arg, const struct export_event *e);

/*
 * Walks a recording: processes and threads first, then each thread's life and the slices in it, in order; holds, instants
 * and arrows. A pid that was used again gets a number of its own. What is not ended lasts until the end of the recording; a slice ends
 * with its thread, and with the slice around it. Returns 0, each's error, or -EIO with one sentence in why. Makes
 * temporary tables in db, the file stays as it is.
 */
int export_walk(struct sqlite3 *db, const struct export_filter *filter, export_event_fn *each,
	void *arg, struct buf *why);

#endif
