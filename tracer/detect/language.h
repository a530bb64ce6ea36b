/* language.h - when the runtimes of languages are asked about the threads of traced processes. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_DETECT_LANGUAGE_H
#define TRACER_DETECT_LANGUAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tracer/source.h"

struct buf;
struct languages;
struct sqlite3;
struct symbols;

/* Where the records go that the runtimes' answers become, all with the time ts. */
struct language_output {
	uint64_t ts;
	source_emit *emit;
	void *arg;
};

/* A process of the recording. */
struct language_process {
	int64_t id;
	pid_t pid;
	const char *exe; /* an exec makes another program of it; borrowed during the call */
};

/* Returns a new one, freed with languages_free. symbols is borrowed, keyed by process.id. */
struct languages *languages_new(struct symbols *symbols);
void languages_free(struct languages *l);

/* Sentences about what could not be understood, one a line; who has taken them empties it. It is valid as long as l. */
struct buf *languages_blind(struct languages *l);

/* Begins a look at those who may be stuck: no process is read twice in it. */
void languages_begin(struct languages *l);

/* Reads the runtime of a process of which some thread may be stuck. */
void languages_suspect(
	struct languages *l, const struct language_process *p, const struct language_output *out);

/*
 * Before deadlocks are looked for: reads the runtimes of processes where a thread of the program has waited for watch_ns, or wakes up
 * now and then only to wait again. Rarely where that has told nothing new. Sets
 * *ret_any if one was read. Returns 0, or -EIO with one sentence in why.
 */
int languages_read(struct languages *l, struct sqlite3 *db, int64_t watch_ns,
	const struct language_output *out, bool *ret_any, struct buf *why);

/*
 * Returns the time (clock_now) from which the next process may be read of which a thread waits that did not when languages_read last
 * came to that process; 0: there is none.
 */
uint64_t languages_owed(const struct languages *l);

#endif
