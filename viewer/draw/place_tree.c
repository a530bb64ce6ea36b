/* place_tree.c - give the nodes of a tree their places before Graphviz draws it. */
/* SPDX-License-Identifier: MIT */
#include "viewer/draw/place.h"

#include <errno.h>

#include "base/mem.h"
#include "viewer/draw/cgraph.h"
#include "viewer/draw/tree_layout.h"

struct places {
	Agnode_t **nodes; /* in the order in which they were made */
	struct tree_box *boxes;
	size_t n;
};

static size_t index_of(const struct places *p, const Agnode_t *node)
{
	/* Sequence numbers grow with each node that is made. */
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (AGSEQ(p->nodes[mid]) < AGSEQ(node))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void collect(struct places *p, Agraph_t *root)
{
	size_t cap = (size_t)agnnodes(root);

	p->nodes = xcalloc(cap + 1, sizeof(Agnode_t *));
	p->boxes = xcalloc(cap + 1, sizeof *p->boxes);
	for (Agnode_t *n = agfstnode(root); n && p->n < cap; n = agnxtnode(root, n)) {
		Agedge_t *in = agfstin(root, n);
		size_t up = in ? index_of(p, agtail(in)) : TREE_ROOT;

		p->nodes[p->n] = n;
		p->boxes[p->n] = (struct tree_box){
			.parent = up < p->n ? up : TREE_ROOT,
			.width = ND_width(n) * POINTS_PER_INCH,
			.height = ND_height(n) * POINTS_PER_INCH,
		};
		p->n++;
	}
}

static void set_node(const struct places *p, size_t i)
{
	const struct tree_box *b = &p->boxes[i];
	char pos[64];

	(void)snprintf(pos, sizeof pos, "%.2f,%.2f", b->x + b->width / 2, -b->y);
	cgraph_set(p->nodes[i], "pos", pos);
}

/* A straight piece to the end of the column, and a curve that leaves and arrives level. */
static void set_edge(const struct places *p, size_t i, Agedge_t *e)
{
	const struct tree_box *b = &p->boxes[i], *up = &p->boxes[b->parent];
	double x0 = up->x + up->width, x1 = up->turn, x2 = b->x - PLACE_ARROW;
	double y0 = -up->y, y1 = -b->y, third = (x1 - x0) / 3, half = (x2 - x1) / 2;
	char pos[384];

	(void)snprintf(pos, sizeof pos,
		"e,%.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f",
		b->x, y1, x0, y0, x0 + third, y0, x1 - third, y0, x1, y0, x1 + half, y0, x2 - half,
		y1, x2, y1);
	cgraph_set(e, "pos", pos);
}

int place_tree(GVC_t *gvc, Agraph_t *root)
{
	struct places p = {0};
	int rc = place_measure(gvc, root);

	if (rc < 0)
		return rc;
	collect(&p, root);
	(void)gvFreeLayout(gvc, root);
	tree_layout(p.boxes, p.n);
	cgraph_set(root, "splines", "true");
	for (size_t i = 0; i < p.n; i++) {
		set_node(&p, i);
		if (p.boxes[i].parent != TREE_ROOT)
			set_edge(&p, i, agfstin(root, p.nodes[i]));
	}
	free(p.nodes);
	free(p.boxes);
	return 0;
}
