/* extent.h - how much a recording keeps: the options that run and attach share. */
/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMON_EXTENT_H
#define CLI_COMMON_EXTENT_H

#include <stdbool.h>

#include "tracer/tracer.h"

struct buf;

enum {
	EXTENT_FOLD = 500,
	EXTENT_MAX_SIZE,
	EXTENT_LAST,
	EXTENT_EVENTS,
	EXTENT_FOLLOW,
	EXTENT_IGNORE
};

/* The rows of these options for a command's list. */
#define EXTENT_OPTIONS                                                                                                             \
	{"events", 0, "LIST",                                                                                                      \
		"kinds of events to keep rows of, separated by commas: locks, waits, pipes, signals, samples, mpi (default: all)", \
		EXTENT_EVENTS},                                                                                                    \
		{"follow", 0, "PROGRAM",                                                                                           \
			"keep rows only of processes that run this program; may be repeated",                                      \
			EXTENT_FOLLOW},                                                                                            \
		{"ignore", 0, "PROGRAM",                                                                                           \
			"keep no rows of processes that run this program; may be repeated",                                        \
			EXTENT_IGNORE},                                                                                            \
		{"fold", 0, "DO",                                                                                                  \
			"on (default) or off: merge many similar short holds of a lock, reads or writes into one row",             \
			EXTENT_FOLD},                                                                                              \
		{"last", 0, "TIME",                                                                                                \
			"keep detail only for the last TIME; totals, processes and findings cover the whole run (default: all)",   \
			EXTENT_LAST},                                                                                              \
	{                                                                                                                          \
		"max-size", 0, "SIZE",                                                                                             \
			"maximum file size; beyond it the oldest detail is dropped; 0: no limit (default: 1G)",                    \
			EXTENT_MAX_SIZE                                                                                            \
	}

/* What a command begins with. */
#define EXTENT_MAX_BYTES ((int64_t)1 << 30)

/* Takes one of these options: false after a message. Any other id is refused without one. */
bool extent_option(struct tracer_config *config, int id, const char *text);

/* Adds members to a JSON object of options: "fold":"on",... */
void extent_json(struct buf *b, const struct tracer_config *config);

/* Adds "; before 1.2 s only sums are kept" where detail was removed. */
void extent_summary(struct buf *b, const struct tracer_summary *s);

#endif
