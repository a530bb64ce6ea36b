/* relations.h - sketches of a trace: who waits for whom, which locks, which pipes. */
/* SPDX-License-Identifier: MIT */
/*
 * Each picture is one file: waits.c, locks.c, pipes.c; relations.c is what they share.
 */
#ifndef VIEWER_RELATIONS_RELATIONS_H
#define VIEWER_RELATIONS_RELATIONS_H

#include <stdbool.h>
#include <stdint.h>

struct sketch;
struct sqlite3;
struct trace;

/*
 * Each returns a sketch that the caller frees with sketch_free, or NULL with a
 * text that the caller frees in *ret_why.
 */

/*
 * Who waited for what at at_ns, and who could have ended it. TIME_NEVER: at
 * the moment that trace_moment chooses, which the picture says.
 */
struct sketch *waits_sketch(
	const struct trace *t, struct sqlite3 *db, int64_t at_ns, char **ret_why);

/* Which lock was taken while which was held, and how contended they were. */
struct sketch *locks_sketch(const struct trace *t, struct sqlite3 *db, char **ret_why);

/* Who wrote how much to whom, and ends that were kept open unused. */
struct sketch *pipes_sketch(const struct trace *t, struct sqlite3 *db, char **ret_why);

/*
 * Adds to the boxes of processes what sat unwritten in their buffers for a
 * pipe when they were stuck. Their ids are prefix and the id of the process or,
 * by_thread, of its main thread. Returns NULL, or what went wrong, which the
 * caller frees.
 */
char *relations_add_unwritten(struct sketch *sk, const struct trace *t, struct sqlite3 *db,
	const char *prefix, bool by_thread);

#endif
