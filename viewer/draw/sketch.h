/* sketch.h - a small picture of boxes that are related, for Graphviz or the terminal. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_DRAW_SKETCH_H
#define VIEWER_DRAW_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

struct buf;
struct graph;

/* A subject does something (a thread, a process); a resource is what it does it with (a lock, a pipe). */
enum sketch_kind { SKETCH_SUBJECT, SKETCH_RESOURCE };

/* How something is marked; each is a colour, and a line style or a sign besides. */
enum sketch_mark { MARK_NONE, MARK_BAD, MARK_WARN, MARK_FAINT };

struct sketch_node {
	char *id;     /* of ours: "t5", "lock3", "pipe1", "p2" */
	char *name;   /* printable */
	char *detail; /* in grey beside the name: "pid 4711" */
	char *row;    /* row of a page that it leads to, or NULL */
	char **lines;
	size_t n_lines, cap_lines;
	enum sketch_kind kind;
	enum sketch_mark mark;
	char *group; /* id of the group it is drawn in, or NULL */
};

struct sketch_edge {
	size_t from, to;
	char *label;
	const char *class; /* a constant */
	enum sketch_mark mark;
	bool backwards; /* drawn from to to from for the layout's sake: the head is at from */
};

struct sketch {
	const char *name; /* a constant: "waits" */
	char *title;
	bool down;    /* drawn from top to bottom, else from left to right */
	char **notes; /* below the title */
	size_t n_notes, cap_notes;
	struct sketch_node *nodes;
	size_t n_nodes, cap_nodes;
	struct sketch_edge *edges;
	size_t n_edges, cap_edges;
	struct hash by_id; /* of the nodes */
};

/* Returns an empty sketch; the caller frees it with sketch_free, which accepts NULL. The functions below take over no text, they copy it. */
struct sketch *sketch_new(const char *name, const char *title);
void sketch_free(struct sketch *sk);

/* Adds a sentence below the title, on as many lines as it takes. */
void sketch_note(struct sketch *sk, const char *text);

/* Returns the node with that id, or SKETCH_NONE. */
#define SKETCH_NONE ((size_t)-1)
size_t sketch_find(const struct sketch *sk, const char *id);

/* Returns a new node. */
size_t sketch_node(struct sketch *sk, enum sketch_kind kind, const char *id, const char *name,
	const char *detail);

/* Adds a line to a node's box. */
void sketch_line(struct sketch *sk, size_t node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Returns a new edge, valid until the next one; label may be "". */
struct sketch_edge *sketch_edge(
	struct sketch *sk, size_t from, size_t to, const char *class, const char *label);

/* Writes of each of the first n nodes which is the first of those that it is connected with, by edges among them. */
void sketch_homes(const struct sketch *sk, size_t n, size_t *home);

/* Removes nodes, and the edges that lead from or to them; the others get new numbers. dropped: of each node. */
void sketch_drop(struct sketch *sk, const bool *dropped);

/*
 * Replaces most of what is alike by a box that says how many more there are: boxes without arrows, chains of boxes that
 * lead to the same other box, and small groups. What is marked is replaced only in chains, where there are a dozen, and the box
 * has the mark. Nodes and edges get new numbers.
 */
void sketch_fold(struct sketch *sk);

/* Removes what is more than that many nodes and edges, beginning with the last ones, and says how many. */
void sketch_limit(
	struct sketch *sk, size_t nodes, size_t edges, size_t *ret_nodes, size_t *ret_edges);

/* Returns the picture for graph_render with "ring"; the caller frees it. link: boxes lead to rows of a page. */
struct graph *sketch_graph(const struct sketch *sk, bool link);

/* Adds the sketch as text: each subject, what it is related to, and what that is related to. */
void sketch_text(struct buf *out, const struct sketch *sk, size_t width, bool color);

#endif
