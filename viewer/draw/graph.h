/* graph.h - draw nodes and edges with Graphviz; knows nothing of processes. */
/* SPDX-License-Identifier: MIT */
/*
 * Knows Graphviz and the terminal, nothing of recordings. To be read in this order: graph.c (nodes and edges),
 * place.c with place_tree.c, tree_layout.c, place_ring.c and place_path.c (where trees, rings and long paths have theirs), svg.c, canvas.c
 * (boxes at given places) with ticks.c, sketch.c (boxes that are related) with alike.c and text.c (for a terminal), output.c
 * (the file).
 */
#ifndef VIEWER_DRAW_GRAPH_H
#define VIEWER_DRAW_GRAPH_H

#include <stddef.h>

struct buf;
struct graph;
struct graph_item; /* a node, an edge, a cluster or the graph itself; lives as long as the graph */

/*
 * Text from a traced program reaches Graphviz through graph_text and
 * graph_markup only. Neither pastes it into DOT: both set an attribute, in
 * which nothing of the text is interpreted (no \N, no entity, no HTML-like
 * label). graph_set takes our own constants and numbers, as they are.
 */

/* Returns an empty directed graph; the caller frees it with graph_free, which accepts NULL. */
struct graph *graph_new(const char *name);
void graph_free(struct graph *g);

/* Returns the graph itself, as something to set attributes of. */
struct graph_item *graph_self(struct graph *g);

/* Sets the default of an attribute for all nodes or edges that are made later. */
void graph_node_default(struct graph *g, const char *key, const char *value);
void graph_edge_default(struct graph *g, const char *key, const char *value);

/* Returns the node with that id, made on first use; ids are ours, never text of a program. */
struct graph_item *graph_node(struct graph *g, const char *id);

/* Returns a new edge between two nodes. */
struct graph_item *graph_edge(
	struct graph *g, struct graph_item *from, struct graph_item *to, const char *id);

/* Sets an attribute to a value that does not come from a program. */
void graph_set(struct graph_item *it, const char *key, const char *value);
void graph_setf(struct graph_item *it, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Sets an attribute to a text that is shown literally; newlines in it break the
 * line. Here and below long lines are cut, and so are many: Graphviz must be able to read what it writes.
 */
void graph_text(struct graph_item *it, const char *key, const char *text);

/* The same, each line aligned to the left side of the node. */
void graph_text_left(struct graph_item *it, const char *key, const char *text);

/* Sets the text that appears under the pointer, shown literally; newlines in it break the line. */
void graph_tooltip(struct graph_item *it, const char *text);

/* Sets an attribute to an HTML-like label: our own tags, texts added by graph_markup. */
void graph_html(struct graph_item *it, const char *key, const char *markup);

/* Adds a text to markup for graph_html, so that it is shown literally. */
void graph_markup(struct buf *b, const char *text);

/*
 * Lays the graph out with the engine ("dot", "nop2": positions are given, "tree" and "ring": see place.h; what is
 * not a ring is laid out by dot) and adds the picture in the format ("svg", "png", "pdf") to out; format "dot" adds
 * the source without layout. Returns 0 or a negative errno with one sentence in why. A graph is rendered once.
 */
int graph_render(
	struct graph *g, const char *engine, const char *format, struct buf *out, struct buf *why);

#endif
