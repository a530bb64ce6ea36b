/* details.h - what only a look from outside shows of threads that seem to be stuck. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_DETECT_DETAILS_H
#define TRACER_DETECT_DETAILS_H

#include <stdint.h>

#include "tracer/source.h"

struct buf;
struct details;
struct sqlite3;
struct symbols;

/* Returns a new one, freed with details_free. symbols is borrowed, keyed by process.id. */
struct details *details_new(struct symbols *symbols);
void details_free(struct details *d);

/*
 * For each open wait in the database db of which no stack has been taken, walks the
 * thread's stack and emits WAIT_FRAME for each frame, and WAIT_SITE; for each process that waits for a pipe,
 * a child or the like, emits STDIO for what sits in its stdio buffers, once in its life; for memory that is waited on, SHARED_MAP
 * for each process that maps it. All records carry the time ts. Returns 0, or -EIO with a sentence in why.
 */
int details_read(struct details *d, struct sqlite3 *db, uint64_t ts, source_emit *emit, void *arg,
	struct buf *why);

/* Sentences about what could not be understood so far, as languages_blind. */
struct buf *details_blind(struct details *d);

/* Returns when the runtimes of languages should be asked again though nothing has happened since, as languages_owed. */
uint64_t details_owed(const struct details *d);

/*
 * Before deadlocks are looked for: adds what the processes in which a wait has lasted call themselves, and what
 * the runtimes of languages say of waits that nobody else sees through. Sets *ret_any if one was asked. The rest as details_read.
 */
int details_waits(struct details *d, struct sqlite3 *db, int64_t watch_ns, uint64_t ts,
	source_emit *emit, void *arg, bool *ret_any, struct buf *why);

#endif
