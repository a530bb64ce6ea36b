/* path.h - the critical path: the chain of running and waiting that decided how long a run took. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: waits.c (the waits of each thread), deeds.c (who could have ended one, where the recording
 * names no waker), path.c (the walk), words.c (a step in words), text.c, json.c and table.c (all of it, for people,
 * programs and SQL).
 *
 * It is walked from the end of the run to its beginning, as in the execution graph of Trace Compass's Critical Flow, and
 * after Yang and Miller, "Critical Path Analysis for the Execution of Parallel and Distributed Programs" (1988). A thread
 * runs back to the end of its last wait; who ended that wait decided when the thread went on, so the path goes on there:
 * at the unlock, the write, the exit that is reaped, the end that is joined, the signal. A wait that nobody in the
 * recording ended (a sleep, a timeout, a file, the network) is a part of the path itself. At its birth a thread hands
 * over to its creator. What others did meanwhile could have taken longer, or less time, without changing when the run ended.
 */
#ifndef VIEWER_PATH_PATH_H
#define VIEWER_PATH_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "viewer/load/resource.h"

struct buf;
struct sqlite3;
struct trace;

/* READY: was started or woken and did not run yet, or ended and was not gone yet. */
enum path_kind { PATH_RUNS, PATH_WAITS, PATH_READY };

/* How a step follows from the one before, which another thread took. */
enum path_link {
	PATH_GOES_ON, /* the same thread, or the beginning */
	PATH_CREATED, /* the thread before made this one */
	PATH_WOKEN,   /* it ended the wait of this one, whose reason says how */
	PATH_ENDED,   /* this thread waited for the end of the one before: join, reaped */
	PATH_KILLED,  /* it sent the signal that ended this process */
};

struct path_step {
	int64_t from, to;
	uint32_t thread; /* in trace.threads */
	uint32_t
		wait; /* in path.waits, plus 1: WAITS: this one; else the one that was ended before; 0: none */
	enum path_kind kind;
	enum path_link link;
};

/* One row of the table wait; indexes are plus 1, 0: none. */
struct path_wait {
	int64_t id, from, to;
	int64_t lock_id, pipe_id;
	uint32_t thread; /* index as it is */
	uint32_t waker, target_thread, target_proc;
	enum wait_reason reason;
	bool endless; /* had not ended */
	bool used;    /* is on the path */
};

/* Where the time went: steps that read alike, together. */
struct path_sum {
	char *who, *what; /* "cc1", "runs" */
	enum path_kind kind;
	int64_t ns;
	size_t steps;
};

struct path {
	const struct trace *t; /* borrowed */
	struct resources res;
	int64_t from, to;        /* all of the run */
	struct path_step *steps; /* in order of time, without gaps */
	size_t n, cap;
	struct path_wait *waits; /* of all threads */
	struct path_sum *sums;   /* the most time first */
	size_t n_sums, cap_sums;
	size_t n_threads; /* that are on it */
};

/* Returns the path; NULL with a text that the caller frees in *ret_why. The caller frees it with path_free, which accepts NULL. */
struct path *path_new(const struct trace *t, struct sqlite3 *db, char **ret_why);
void path_free(struct path *p);

/* Returns the wait of a step, or NULL. */
const struct path_wait *path_wait_of(const struct path *p, const struct path_step *s);

/* Adds who takes a step: "make (4711)", "worker of bank (4712)". */
void path_add_who(struct buf *b, const struct path *p, const struct path_step *s);

/* Adds what happens in it: "runs", "waits for the lock m". */
void path_add_what(struct buf *b, const struct path *p, const struct path_step *s);

/* Adds how the step of that number follows from the one before it: "forked by make (4711)"; nothing where the same thread goes on. */
void path_add_link(struct buf *b, const struct path *p, size_t step);

/* Adds one sentence: where the time went. */
void path_sentence(struct buf *b, const struct path *p);

/* Adds the path for a terminal of that width. all: every step, not only the longest. */
void path_text(struct buf *out, const struct path *p, size_t width, bool color, bool all);

/* Adds it as a JSON object. */
void path_json(struct buf *out, const struct path *p);

/*
 * Makes the table critical_path known to SQL on this connection: computed when it is asked for. It cannot be used
 * from within the schema of a recording, which is hostile. Returns 0 or -EIO.
 */
int path_register(struct sqlite3 *db);

#endif
