/* import.h - what a look from outside saw of tasks without a thread (goroutines) becomes a part of the recording. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_DETECT_IMPORT_H
#define TRACER_DETECT_IMPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tracer/source.h"

struct buf;
struct findings;
struct import;
struct sqlite3;

/*
 * A task is told when a set was found, and from then on each look brings it up to date. It has one number as long as looks
 * see it without a thread. Freed with import_free.
 */
struct import *import_new(void);
void import_free(struct import *im);

/* A look: what the runtimes of languages said, as records one behind the other, and what was found in its database. */
struct import_look {
	const struct buf *records;
	struct sqlite3 *db;
	const struct findings *found;
	uint64_t ts; /* of the records that are emitted */
};

/* Emits what a look saw of tasks, and of the threads that have one. */
void import_emit(struct import *im, const struct import_look *look, source_emit *emit, void *arg);

/* Returns the number that a task of the last look has in the recording, or 0. */
pid_t import_tid(const struct import *im, pid_t tid);

#endif
