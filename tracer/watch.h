/* watch.h - look for threads that can never proceed while the recording grows. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_WATCH_H
#define TRACER_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct findings;
struct sqlite3;
struct watch;

/* Watches the database at path, which is borrowed. Waits shorter than least_ns accuse nobody. Freed with watch_free. */
struct watch *watch_new(const char *path, int64_t least_ns);
void watch_free(struct watch *w);

/* Returns the read connection, or NULL; not while it is RUNNING. */
struct sqlite3 *watch_reader(struct watch *w);

/*
 * Evaluating may take longer than a ring has room for, so it is done by a
 * thread of its own, in two steps. First the graph is evaluated as committed,
 * and the members of sets that were not reported before are looked at. Then,
 * after everything up to that look has been committed, both once more: only
 * what stayed as it was is reported.
 */
enum watch_state {
	WATCH_IDLE,     /* nothing to do: watch_begin may be called */
	WATCH_RUNNING,  /* at work */
	WATCH_SUSPECTS, /* to be called: watch_again, after a drain and a commit */
	WATCH_FOUND     /* to be called: watch_take */
};

/* Returns the state; it changes from RUNNING by itself, and by the calls below. */
enum watch_state watch_state(struct watch *w);

/* Returns the processor time that the last steps took together; not while it is RUNNING. */
uint64_t watch_cost_ns(const struct watch *w);

/*
 * Says whether the last second step had a set that the first had not: what was
 * found out between them changed the graph. Not while it is RUNNING.
 */
bool watch_has_more(const struct watch *w);

/* Begins the first step on what is committed now. */
void watch_begin(struct watch *w);

/* Begins the second step on what is committed now. */
void watch_again(struct watch *w);

/* Hands over the confirmed sets, freed with findings_free. */
void watch_take(struct watch *w, struct findings *ret);

#endif
