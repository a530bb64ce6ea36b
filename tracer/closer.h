/* closer.h - a closer look at threads that seem to be stuck, while they are. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_CLOSER_H
#define TRACER_CLOSER_H

#include <stdint.h>

#include "tracer/source.h"

struct closer;
struct sqlite3;
struct symbols;

/* Returns a new one, freed with closer_free. symbols is borrowed, keyed by process.id. */
struct closer *closer_new(struct symbols *symbols);
void closer_free(struct closer *c);

/*
 * For each open wait in the database db whose place is not known, walks the
 * thread's stack and emits WAIT_SITE; for each process that waits for a pipe,
 * a child or the like, emits STDIO for what sits in its stdio buffers, once in its life; for memory that is waited on, SHARED_MAP
 * for each process that maps it. All records carry the time ts.
 */
void closer_look(struct closer *c, struct sqlite3 *db, uint64_t ts, source_emit *emit, void *arg);

#endif
