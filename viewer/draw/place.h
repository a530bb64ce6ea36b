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
 * Places the nodes of a graph that is one ring on a circle, in the order of its
 * edges and clockwise from the top, and its labels outside; "nop2" draws it
 * then. Returns 1, 0 if it is not one ring of at least three nodes, or a
 * negative errno.
 */
int place_ring(GVC_t *gvc, Agraph_t *root);

#endif
