/* private.h - the statements of the walk. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_EXPORT_PRIVATE_H
#define VIEWER_EXPORT_PRIVATE_H

#include <errno.h>

#include "viewer/export/walk.h"

/* Columns of every statement; then pairs of an argument's name and value, of an arrow the pid and tid where it ends. */
enum { WALK_NAME, WALK_PID, WALK_TID, WALK_TS, WALK_END, WALK_ID, WALK_ARGS };

struct walk_query {
	enum export_what what;
	const char *category;
	const char *kinds; /* told for these kinds of event, separated by blanks */
	const char *sql;
};

/* Makes temp.who: threads that are shown, with their numbers and lives. */
extern const char walk_who_sql[];

/* The life of thread ?1. */
extern const char walk_life_sql[];

/* thread, index in walk_slices, id, start, end, start of the thread's life: by thread and time, the outer one first. */
extern const char walk_order_sql[];

/* Tables whose rows are slices: each statement is for ?1 = id. */
enum { WALK_SLICES = 3 };
extern const struct walk_query walk_slices[WALK_SLICES];

/* Names of processes and threads, for every filter; all that is no slice. */
extern const struct walk_query walk_names[], walk_events[];
extern const size_t walk_names_n, walk_events_n;

/* Says whether one of the kinds, separated by blanks, is wanted. */
bool walk_wants(const struct export_filter *f, const char *kinds);

#endif
