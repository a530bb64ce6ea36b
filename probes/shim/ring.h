/* ring.h - what the preload library's own files write into a ring. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_RING_H
#define PROBES_SHIM_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probes/shim/shim.h"

/* As ring_room, and says nothing of the program's modules. */
bool ring_make_room(void);

/* As ring_record, the same way. Only where shim_has_tls. */
void ring_write(struct rec_head *rec, unsigned kind, size_t size);

/* How many slots a record of len bytes behind its head takes. */
size_t ring_slots(size_t len);

/* Fills slots from n on that were reserved; the first one last, which commits. from: the bytes behind the head. */
void ring_fill(
	struct ring_local *t, uint64_t n, uint64_t ts, unsigned kind, const char *from, size_t len);

#endif
