/* merge.h - put the records of several sources into the order of time. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_MERGE_H
#define TRACER_MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "tracer/source.h"

/*
 * Sources hand records over in any order, but say up to which time they have
 * handed over everything. Records are kept until that time has been reached
 * by all sources, and leave in the order of ts; those of the same ts in the
 * order in which they came.
 */
struct merge;

/* Never NULL; freed with merge_free, which drops what is still kept. */
struct merge *merge_new(void);
void merge_free(struct merge *m);

/* Keeps a copy of a record; a source_emit whose arg is the merge. */
void merge_add(void *merge, const struct rec_head *rec);

/* Hands on all records with a ts up to until, and returns how many. */
size_t merge_emit(struct merge *m, uint64_t until, source_emit *emit, void *arg);

/* Returns how many bytes are kept. */
size_t merge_bytes(const struct merge *m);

#endif
