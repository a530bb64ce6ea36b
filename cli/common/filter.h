/* filter.h - which part of a recording a command is about: processes, kinds of event, a time. */
/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMON_FILTER_H
#define CLI_COMMON_FILTER_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct buf;

enum { FILTER_MOST = 32 };

/* The options, for a command's list; their ids are the letters. */
#define FILTER_OPTIONS                                                                                                  \
	{"process", 'p', "PID|NAME", "only this process; may be repeated", 'p'},                                        \
		{"kind", 'k', "KIND,...",                                                                               \
			"only these: process, thread, exec, title, exit, reap, pipe, end, io, signal, handler, timer, " \
			"lock, sync, wait, finding, lost",                                                              \
			'k'},                                                                                           \
		{"since", 's', "TIME", "from this time after the start: 1.5 (seconds), 200ms",                          \
			's'},                                                                                           \
	{                                                                                                               \
		"until", 'u', "TIME", "up to this time", 'u'                                                            \
	}

/* What the options ask for; the texts are borrowed, and bound to statements, never pasted. */
struct filter {
	const char *processes[FILTER_MOST];
	const char *kinds[FILTER_MOST];
	int n_processes, n_kinds;
	int64_t since, until;
};

#define FILTER_INIT ((struct filter){.since = INT64_MIN, .until = INT64_MAX})

/* Takes one of the options, its argument in optarg. Returns false after a message, or if id is none of them. */
bool filter_option(struct filter *f, const char *command, int id);

/* Dies if the recording has no such process, or ends before the time. */
void filter_check(const struct filter *f, sqlite3 *db, const char *command);

/* Dies if the recording ends before that time; option: "--at". */
void filter_check_time(sqlite3 *db, const char *command, const char *option, int64_t ns);

/*
 * Adds " AND ..." conditions on the process number and name in those columns and on the kind in kind (NULL: none), with
 * marks from ?first on; filter_bind gives these their values, and returns the next free number.
 */
void filter_where(const struct filter *f, struct buf *sql, const char *pid, const char *name,
	const char *kind, int first);
int filter_bind(const struct filter *f, sqlite3_stmt *st, bool kinds, int first);

#endif
