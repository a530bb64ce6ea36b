/* inspect.h - inspect running processes once: a snapshot, put through the model into a database in memory. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_INSPECT_H
#define TRACER_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;
struct findings;
struct inspect;
struct sqlite3;

/*
 * Looks at the processes, their descendants and whoever they wait for.
 * Returns 0 and *ret, freed with inspect_free; or what snapshot_take returns,
 * with one sentence in why. What could not be read is in trace.blind_spots.
 */
int inspect_new(const pid_t *pids, size_t n_pids, struct inspect **ret, struct buf *why);

/* The same of a core file: as snapshot_core. */
int inspect_core(
	const char *core, const char *exe, struct inspect **ret, struct buf *told, struct buf *why);

void inspect_free(struct inspect *in);

/* Returns time 0 of that database, CLOCK_MONOTONIC in nanoseconds. */
uint64_t inspect_t0(const struct inspect *in);

/* Returns the database: rows as of a recording that was made up to now, and views. It belongs to the inspection. */
struct sqlite3 *inspect_db(struct inspect *in);

/* Returns sentences about what of that was not understood, one a line. It belongs to the inspection. */
const struct buf *inspect_runtime_blind(const struct inspect *in);

/* Returns what the runtimes of languages said, as records one behind the other. It belongs to the inspection. */
const struct buf *inspect_runtimes(const struct inspect *in);

/*
 * Evaluates the wait-for graph (verdict_stuck). Where it may not be read whether a
 * timer is armed, a finding that an alarm would end is not certain: its
 * explanation says so. all, and what it returns: as verdict_stuck.
 */
int inspect_verdict(struct inspect *in, bool all, struct findings *ret, struct buf *why);

/* Says whether what the processes wait for may not be read at all, so that the verdict says nothing about them. */
bool inspect_is_denied(const struct inspect *in);

#endif
