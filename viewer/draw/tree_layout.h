/* tree_layout.h - where the boxes of a tree stand. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_DRAW_TREE_LAYOUT_H
#define VIEWER_DRAW_TREE_LAYOUT_H

#include <stddef.h>

/* A box of the tree; lengths in points, y downward from the top. */
struct tree_box {
	size_t parent; /* an earlier box, or TREE_ROOT */
	double width, height;
	double x, y;    /* set: the left edge and the middle of the height */
	double turn;    /* set: up to where the edges to its children run straight */
	unsigned depth; /* set: 0 for a root */
};

#define TREE_ROOT ((size_t)-1)

/*
 * Sets where each of the n boxes stands, none above y = 0: from left to right
 * by depth, left edges aligned, children in their order, a parent in the middle
 * of its children, all as close as that allows (Reingold and Tilford, "Tidier
 * drawings of trees", 1981). No two boxes overlap, and edges that run straight
 * from the parent's right side to turn and from there, all with the same kind
 * of curve, to the left side of the child cross no box and no other edge.
 */
void tree_layout(struct tree_box *boxes, size_t n);

#endif
