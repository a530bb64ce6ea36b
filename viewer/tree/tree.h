/* tree.h - the tree of processes and threads by creation: folded, then drawn. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: family.c (who created whom), tree.c (what is folded), graph.c (drawn) and
 * text.c (for a terminal).
 */
#ifndef VIEWER_TREE_TREE_H
#define VIEWER_TREE_TREE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct graph;
struct trace;

enum tree_kind { TREE_PROC, TREE_THREAD, TREE_FOLD };

/* One box. Main threads have none: the box of their process stands for them. */
struct tree_node {
	enum tree_kind kind;
	size_t row; /* TREE_PROC: in trace.procs; TREE_THREAD: in trace.threads; TREE_FOLD: NONE, see tree_home */
	size_t parent; /* node, always an earlier one; NONE: a root */
	unsigned depth;
	bool is_last;          /* last child of its parent */
	size_t procs, threads; /* fold: how many it hides, descendants included */
	size_t *members; /* fold: the siblings it hides; processes first, thread i as trace.n_procs + i */
	size_t n_members;
	bool stuck;  /* fold: some that it hides are */
	char *words; /* fold: "97 more kid, all exit 0" */
};

struct tree {
	struct tree_node *nodes; /* parents before children, siblings by birth */
	size_t n;
	size_t hidden_procs, hidden_threads;
};

/*
 * Returns the tree with at most max nodes; 0: no limit, nothing is folded.
 * More than a dozen siblings that are alike are folded even if there is room.
 * The caller frees it with tree_free, which accepts NULL.
 */
struct tree *tree_new(const struct trace *t, size_t max);
void tree_free(struct tree *tree);

/* Says whether the first that a fold hides is a thread, so that it belongs below the process of that. */
bool tree_folds_threads(const struct trace *t, const struct tree_node *n);

/* Returns the process, in trace.procs, that a node is or belongs to; of a fold that of the first that it hides. */
size_t tree_home(const struct trace *t, const struct tree_node *n);

/* Adds what was folded, one sentence without a full stop; nothing if nothing was. */
void tree_add_folded(struct buf *b, const struct tree *tree);

/*
 * Returns the picture, for graph_render with "tree"; the caller frees it. link:
 * boxes lead to the rows "row-p1" and "row-t1" of a page.
 */
struct graph *tree_graph(const struct trace *t, const struct tree *tree, bool link);

/* Adds the tree as text, no line wider than width columns. */
void tree_text(
	struct buf *out, const struct trace *t, const struct tree *tree, size_t width, bool color);

#endif
