/* place.h - give the nodes of a graph their places before Graphviz draws it. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_DRAW_PLACE_H
#define VIEWER_DRAW_PLACE_H

#include <graphviz/gvc.h>

/*
 * Places the nodes of a graph whose edges lead from parents to children, each
 * node having at most one parent that was made before it, as tree_layout does,
 * and gives the edges their curves; "nop2" draws it then. Graphviz measures the
 * labels. Returns 0 or a negative errno.
 */
int place_tree(GVC_t *gvc, Agraph_t *root);

/*
 * Places the nodes of a graph that is one ring, to which chains of others may
 * lead: the ring on a circle, in the order of its edges and clockwise from the
 * top, labels beside its edges, and the chains outside; "nop2" draws it then.
 * Returns 1, 0 if it is not such a graph, or if boxes would overlap, or a
 * negative errno.
 */
int place_ring(GVC_t *gvc, Agraph_t *root);

/*
 * Places the nodes of a graph that is one long path, whichever way its edges
 * lead: in rows to and fro, as wide as a page; "nop2" draws it then. Returns 1,
 * 0 if it is not such a graph, or a negative errno.
 */
int place_path(GVC_t *gvc, Agraph_t *root);

/*
 * For these layouts: lets Graphviz measure each label, with all nodes in one
 * place and no edge drawn, until gvFreeLayout. Returns 0 or a negative errno.
 */
int place_measure(GVC_t *gvc, Agraph_t *root);

/* Points: an arrowhead is 10 points long at the size 1, and ours are drawn at 0.6 (doc of arrowsize). */
#define PLACE_ARROW 6.0

#endif
