/* family.h - who created whom: the entities of a tree, as a forest. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_TREE_FAMILY_H
#define VIEWER_TREE_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace;

/*
 * An entity is a process, or a thread other than a main thread (its process
 * stands for that). Entities are numbered: processes first, then threads.
 */
struct entity {
	size_t parent;   /* entity; NONE: a root */
	size_t first, n; /* children, in family.kids */
	uint64_t key[2]; /* equal keys: alike; [1]: by name, and whether anything is stuck */
	size_t procs, threads, stuck; /* of the subtree, itself included */
};

struct family {
	const struct trace *t;
	struct entity *list;
	size_t n;
	size_t *kids;  /* entities, grouped by parent, by birth; the roots come last */
	size_t *order; /* parents before children */
	size_t first_root;
};

/* Fills an empty family; the trace is borrowed until family_done. A damaged file's cycle of parents is cut. */
void family_init(struct family *f, const struct trace *t);
void family_done(struct family *f);

bool family_is_proc(const struct family *f, size_t e);

/* Returns the row of an entity, in trace.procs or trace.threads. */
size_t family_row(const struct family *f, size_t e);

/* Returns the name of an entity; borrowed from the trace. */
const char *family_name(const struct family *f, size_t e);

/* Returns a key of the entity without its children: its name and how it ended. */
uint64_t family_own_key(const struct family *f, size_t e);

#endif
