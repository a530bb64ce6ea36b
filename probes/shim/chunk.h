/* chunk.h - pieces of the arena, of which a ring is made. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_CHUNK_H
#define PROBES_SHIM_CHUNK_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/arena.h"

/* A chunk's row in the arena's table, and its slots. */
struct arena_chunk *chunk_row(uint32_t i);
uint64_t *chunk_data(uint32_t i);

/*
 * Takes a chunk for a ring, its first one or another; returns its number plus 1.
 * Waits for one as long as the tracer is at work and at most a second; 0: there is none.
 */
uint32_t chunk_get(uint32_t ring, bool first);

#endif
