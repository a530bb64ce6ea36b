/* tree_layout.c - where the boxes of a tree stand. */
/* SPDX-License-Identifier: MIT */
#include "viewer/draw/tree_layout.h"

#include <math.h>
#include <stdbool.h>

#include "base/mem.h"

/* Between two boxes of one depth; more if they have different parents, so that families stand apart. */
static const double sibling_gap = 7, family_gap = 15;

/* Between two columns: the more children a box has there, the more room their edges need to part. */
static const double column_gap = 30, gap_per_child = 3, max_gap = 100;

/*
 * The outline of a tree: how far up and down its boxes of each depth reach,
 * the deepest first, so that a root is added at the end. Lengths are counted
 * from the middle of the tree's root, to which shift is still to be added.
 */
struct outline {
	double *top, *bottom;
	size_t n, cap, cap_bottom;
	double shift;
};

struct node {
	struct outline
		outline; /* of it and its descendants; empty once the parent has taken it over */
	size_t first_kid, next; /* TREE_ROOT: none */
	size_t n_kids;
	double offset; /* of its middle from its parent's */
};

static void outline_free(struct outline *o)
{
	free(o->top);
	free(o->bottom);
	*o = (struct outline){0};
}

/* Adds the root's own box, whose middle is at 0. */
static void add_root(struct outline *o, double height)
{
	size_t n = o->n;

	ARRAY_GROW(o->top, n, o->cap);
	ARRAY_GROW(o->bottom, n, o->cap_bottom);
	o->top[n] = -height / 2 - o->shift;
	o->bottom[n] = height / 2 - o->shift;
	o->n++;
}

/* Returns how far the tree below must be moved down so that it is clear of the one above. */
static double clearance(const struct outline *above, const struct outline *below)
{
	size_t shared = above->n < below->n ? above->n : below->n;
	double most = -INFINITY;

	for (size_t k = 1; k <= shared; k++) {
		double gap = k == 1 ? sibling_gap : family_gap;
		double d = above->bottom[above->n - k] + above->shift + gap -
			   below->top[below->n - k] - below->shift;

		most = d > most ? d : most;
	}
	return most;
}

/* Makes one outline of two, in above. Of the deeper one the depths that the other has not are left as they are. */
static void join(struct outline *above, struct outline *below)
{
	struct outline swap = *above;
	bool deeper = below->n > above->n;
	size_t shared = deeper ? above->n : below->n;
	double shift = deeper ? below->shift : above->shift;

	for (size_t k = 1; k <= shared; k++) {
		double top = above->top[above->n - k] + above->shift - shift;
		double bottom = below->bottom[below->n - k] + below->shift - shift;
		struct outline *to = deeper ? below : above;

		to->top[to->n - k] = top;
		to->bottom[to->n - k] = bottom;
	}
	if (deeper) {
		*above = *below;
		*below = swap;
	}
	outline_free(below);
}

/* Stands the children one below the other, their parent in the middle; o becomes the outline of them all. */
static void stack_kids(struct node *nodes, size_t first, struct outline *o)
{
	double middle = 0;

	for (size_t i = first; i != TREE_ROOT; i = nodes[i].next) {
		struct outline *kid = &nodes[i].outline;

		if (i == first) {
			*o = *kid;
			*kid = (struct outline){0};
			continue;
		}
		nodes[i].offset = clearance(o, kid);
		kid->shift += nodes[i].offset;
		middle = nodes[i].offset / 2;
		join(o, kid);
	}
	o->shift -= middle;
	for (size_t i = first; i != TREE_ROOT; i = nodes[i].next)
		nodes[i].offset -= middle;
}

static void place_rows(struct tree_box *boxes, struct node *nodes, size_t n)
{
	struct outline all = {0};
	size_t roots = TREE_ROOT;
	double highest = INFINITY;

	for (size_t i = n; i-- > 0;) {
		size_t *list =
			boxes[i].parent == TREE_ROOT ? &roots : &nodes[boxes[i].parent].first_kid;

		stack_kids(nodes, nodes[i].first_kid, &nodes[i].outline);
		add_root(&nodes[i].outline, boxes[i].height);
		nodes[i].next = *list;
		*list = i;
		if (boxes[i].parent != TREE_ROOT)
			nodes[boxes[i].parent].n_kids++;
	}
	stack_kids(nodes, roots, &all);
	for (size_t k = 0; k < all.n; k++)
		highest = all.top[k] + all.shift < highest ? all.top[k] + all.shift : highest;
	outline_free(&all);
	for (size_t i = 0; i < n; i++)
		boxes[i].y = nodes[i].offset +
			     (boxes[i].parent == TREE_ROOT ? -highest : boxes[boxes[i].parent].y);
}

static void place_columns(struct tree_box *boxes, const struct node *nodes, size_t n)
{
	double *width = xcalloc(n + 1, sizeof *width), *gap = xcalloc(n + 1, sizeof *gap);
	double *left = xcalloc(n + 1, sizeof *left);
	unsigned depths = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned d = boxes[i].parent == TREE_ROOT ? 0 : boxes[boxes[i].parent].depth + 1;
		double room = column_gap + gap_per_child * (double)nodes[i].n_kids;

		boxes[i].depth = d;
		if (d + 1 > depths)
			depths = d + 1;
		if (boxes[i].width > width[d])
			width[d] = boxes[i].width;
		if (room > gap[d])
			gap[d] = room < max_gap ? room : max_gap;
	}
	for (unsigned d = 1; d < depths; d++)
		left[d] = left[d - 1] + width[d - 1] + gap[d - 1];
	for (size_t i = 0; i < n; i++) {
		boxes[i].x = left[boxes[i].depth];
		boxes[i].turn = left[boxes[i].depth] + width[boxes[i].depth];
	}
	free(width);
	free(gap);
	free(left);
}

void tree_layout(struct tree_box *boxes, size_t n)
{
	struct node *nodes = xcalloc(n + 1, sizeof *nodes);

	for (size_t i = 0; i < n; i++)
		nodes[i].first_kid = TREE_ROOT;
	place_rows(boxes, nodes, n);
	place_columns(boxes, nodes, n);
	free(nodes);
}
