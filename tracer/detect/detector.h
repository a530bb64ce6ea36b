/* detector.h - find threads that can never proceed while the recording grows. */
/* SPDX-License-Identifier: MIT */
/*
 * The folder finds deadlocks while a recording grows. To be read in this order: detector.c (the graph, evaluated in a
 * thread), details.c with language.c (what is read of the threads that it suspects), silent.c with import.c (a look
 * from outside, where a library alone records), detect.c (when to do which).
 */
#ifndef TRACER_DETECT_DETECTOR_H
#define TRACER_DETECT_DETECTOR_H

#include <stdbool.h>
#include <stdint.h>

struct authority;
struct buf;
struct findings;
struct sqlite3;
struct detector;

/* Watches the database at path, which is borrowed. Waits shorter than least_ns accuse nobody. all: as verdict_stuck. Freed with detector_free. */
struct detector *detector_new(
	const char *path, int64_t least_ns, bool all, struct authority *authority);
void detector_free(struct detector *d);

/* Returns the read connection, or NULL; not while it is RUNNING. */
struct sqlite3 *detector_reader(struct detector *d);

/*
 * Evaluating may take longer than a ring has room for, so it is done by a
 * thread of its own, in two steps. First the graph is evaluated as committed,
 * and the members of sets that were not reported before are looked at. Then,
 * after everything up to that look has been committed, both once more: only
 * what stayed as it was is reported.
 */
enum detector_state {
	DETECTOR_IDLE,     /* nothing to do: detector_begin may be called */
	DETECTOR_RUNNING,  /* at work */
	DETECTOR_SUSPECTS, /* to be called: detector_again, after a drain and a commit */
	DETECTOR_FOUND     /* to be called: detector_take */
};

/* Returns the state; it changes from RUNNING by itself, and by the calls below. */
enum detector_state detector_state(struct detector *d);

/* Returns the processor time that the last steps took together; not while it is RUNNING. */
uint64_t detector_cost_ns(const struct detector *d);

/* Returns what SQLite said of the first query that failed since detector_begin, or NULL; not while it is RUNNING. */
const char *detector_error(const struct detector *d);

/*
 * Says whether the last second step had a set that the first had not: what was
 * found out between them changed the graph. Not while it is RUNNING.
 */
bool detector_has_more(const struct detector *d);

/*
 * Returns when the last of the sets that the first step found too young will be old enough, in nanoseconds since the recording began; 0: none was
 * too young. Not while it is RUNNING.
 */
uint64_t detector_ripe_ns(const struct detector *d);

/* Begins the first step on what is committed now. */
void detector_begin(struct detector *d);

/* Begins the second step on what is committed now. */
void detector_again(struct detector *d);

/* Hands over the confirmed sets, freed with findings_free. */
void detector_take(struct detector *d, struct findings *ret);

/* Sets that have been told already, found otherwise: they are not handed over once more. Called while it is idle. */
void detector_told(struct detector *d, const struct findings *f);

#endif
