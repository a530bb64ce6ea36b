/* look.h - look at running processes once: a snapshot, put through the model into a database in memory. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_LOOK_H
#define TRACER_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;
struct findings;
struct look;
struct sqlite3;

/*
 * Looks at the processes, their descendants and whoever they wait for.
 * Returns 0 and *ret, freed with look_free; or what snapshot_take returns,
 * with one sentence in why. What could not be read is in trace.blind_spots.
 */
int look_take(const pid_t *pids, size_t n_pids, struct look **ret, struct buf *why);
void look_free(struct look *l);

/* Returns the database: rows as of a recording that was made up to now, and views. It belongs to the look. */
struct sqlite3 *look_db(struct look *l);

/*
 * Evaluates the wait-for graph (verdict_stuck). Where it may not be read whether a
 * timer is armed, a finding that an alarm would end is not certain: its
 * explanation says so. Returns as verdict_stuck.
 */
int look_verdict(struct look *l, struct findings *ret, struct buf *why);

/* Says whether what the processes wait for may not be read at all, so that the verdict says nothing about them. */
bool look_is_denied(const struct look *l);

/* Returns how long the look took, in nanoseconds. */
int64_t look_duration_ns(const struct look *l);

#endif
