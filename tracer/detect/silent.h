/* silent.h - look at the recorded processes from outside, where a library alone records and threads have fallen silent. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_DETECT_SILENT_H
#define TRACER_DETECT_SILENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tracer/source.h"

struct findings;
struct silent;
struct sqlite3;

/*
 * The preload library sees neither calls within libc, nor the other side of a socket; nobody who records sees what the
 * goroutines of Go do; and which sides of pseudo-terminals belong together, and who else can find a queue or
 * semaphores, no recording knows. What is missed is in /proc and in memory: the snapshot that `pptrace why` takes. Where
 * the kernel records (library_alone false), nothing else is told.
 * Sets that have not stood for watch_ns are not told. Freed with silent_free.
 */
struct silent *silent_new(uint64_t watch_ns, bool library_alone);
void silent_free(struct silent *s);

/* When records came last, and how long a wait must last to be told. */
struct silent_times {
	uint64_t now, changed_at, watch_ns;
};

/* At whom a look is worth its time now. */
enum silent_due {
	SILENT_NOBODY,
	SILENT_RAW, /* processes whose language schedules what they run itself: nothing else tells of that */
	SILENT_ALL /* it is quiet, or it has been busy for long */
};

/* Says it; nobody while a look is under way. */
enum silent_due silent_due(const struct silent *s, const struct silent_times *at);

/* Says whether threads of the recording db wait for what only a look shows: a pseudo-terminal, a queue, semaphores. */
bool silent_is_wanted(struct sqlite3 *db);

/* The processes to be looked at. */
struct silent_subject {
	const pid_t *pids;
	size_t n;
	enum silent_due due; /* why */
	bool all;            /* as verdict_stuck */
};

/* Begins a look, in a thread of its own; with no processes there is nothing to look at, and the next one is due later. */
void silent_begin(struct silent *s, const struct silent_subject *of, uint64_t now);

/* Says whether a look has ended and waits to be taken. */
bool silent_is_done(const struct silent *s);

/* Of a look that has ended: sentences about what it did not understand of languages, one a line; NULL: there are none. Valid until silent_take. */
const char *silent_blind(const struct silent *s);

/* Of a look that has ended: emits what it saw of tasks without a thread, at the time ts. They are to be in db before silent_take. */
void silent_tell(struct silent *s, uint64_t ts, source_emit *emit, void *arg);

/*
 * Takes what a look that has ended has found and is not among reported: sets of threads of the recording db, which began at
 * t0 (CLOCK_MONOTONIC, ns). Returns false if there is none; else ret is freed with findings_free.
 */
bool silent_take(struct silent *s, struct sqlite3 *db, uint64_t t0, const struct findings *reported,
	struct findings *ret);

#endif
