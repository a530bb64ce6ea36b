/* relations.h - sketches of a recording: who waits for whom, which locks, which pipes. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: pictures.def (the list), unwritten.c (what several pictures say alike), waits.c, locks.c and
 * pipes.c (one each), relations.c (the table of them).
 */
#ifndef VIEWER_RELATIONS_RELATIONS_H
#define VIEWER_RELATIONS_RELATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pipe_uses;
struct sketch;
struct sqlite3;
struct trace;

/* What a sketch is drawn of. */
struct relations_input {
	const struct trace *trace;
	struct sqlite3 *db;
	int64_t at_ns; /* of a MOMENT; TIME_NEVER: the one that trace_moment chooses, which the picture says */
	const struct pipe_uses *uses; /* borrowed; NULL: a picture of pipes reads them itself */
};

/*
 * <name>_sketch of each picture returns a sketch that the caller frees with
 * sketch_free, or NULL with a text that the caller frees in *ret_why.
 */
typedef struct sketch *relations_layout(const struct relations_input *in, char **ret_why);

#define PICTURE(name, ...) relations_layout name##_sketch;
#include "viewer/relations/pictures.def"
#undef PICTURE

/* One line of pictures.def. */
struct relations_picture {
	const char *name, *title, *caption;
	relations_layout *layout;
};

/* Walks the pictures in the order of the list: *pos starts at 0; returns NULL at the end. */
const struct relations_picture *relations_next(size_t *pos);

/*
 * Adds to the boxes of processes what sat unwritten in their buffers for a
 * pipe when they were stuck. Their ids are prefix and the id of the process or,
 * by_thread, of its main thread. Returns NULL, or what went wrong, which the
 * caller frees.
 */
char *relations_add_unwritten(struct sketch *sk, const struct trace *t, struct sqlite3 *db,
	const char *prefix, bool by_thread);

#endif
