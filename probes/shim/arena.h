/* arena.h - the file that all traced processes record into, as this process has it mapped. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_ARENA_H
#define PROBES_SHIM_ARENA_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/arena.h"

/* NULL before shim_active has mapped it. */
extern struct arena_head *shim_arena;

/* Where things are in it, as the head said when it was mapped: a program out of control may write there later. */
struct arena_places {
	struct arena_ring *rings;
	struct arena_chunk *chunks;
	char *data;
	uint32_t n_rings;
};
extern struct arena_places arena_at;

/* How many chunks lie in what could be mapped; 0: nothing is recorded. Written last. */
extern uint32_t arena_usable;

/* Allocates the space of a part of it in the file, through the file; false: there is no room, or no way to the file. */
bool arena_allocate(const void *data, uint64_t len);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t arena_monotonic(void);

/* From now on nothing is recorded in this process, nor in its children. */
void arena_stop(void);

/* ---- The memory that a child does not inherit ---- */

enum { OBJECT_WAYS = 4, OBJECT_SETS = 1024 };

/* All zero in a child until it records. */
struct shim_wiped {
	uint64_t epoch;
	uint64_t pidns;
	uint32_t pid;
	uint64_t seen[OBJECT_SETS][OBJECT_WAYS];
};

/* NULL before the first record. */
struct shim_wiped *shim_wiped(void);

#endif
