/* why_list.h - what each thread of some processes waits for, and for whom. */
/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMON_WHY_LIST_H
#define CLI_COMMON_WHY_LIST_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct sqlite3;

/*
 * Adds all threads that had not ended at at_ns (INT64_MAX: now), process by process. Threads of a
 * process that wait for the same at the same place are shown once with how many
 * they are, unless all. For example:
 *
 *	pipes[4711] /usr/bin/pipes
 *	    4711  waits to read from the empty pipe 2 (child -> pipes), for 3.20 s
 *	          for child[4712]
 *	          at main (pipes.c:31)
 *
 * Returns 0, or -EIO with a sentence in why.
 */
int why_list_text(
	struct buf *out, struct sqlite3 *db, int64_t at_ns, bool all, bool colour, struct buf *why);

struct why_row;
struct why_source;

/* Adds "waits for the mutex a" or the like: the wait of a thread and its object, without the owner; or "runs". */
void why_list_object(struct buf *out, const struct why_source *src, const struct why_row *r);

/* Adds the same as a JSON array of processes. Returns the same way. */
int why_list_json(struct buf *out, struct sqlite3 *db, int64_t at_ns, struct buf *why);

#endif
