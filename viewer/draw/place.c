/* place.c - give the nodes of a graph their places before Graphviz draws it. */
/* SPDX-License-Identifier: MIT */
#include "viewer/draw/place.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>

#include "base/mem.h"
#include "viewer/draw/tree_layout.h"

/* Points: an arrowhead is 10 points long at the size 1, and ours are drawn at 0.6 (doc of arrowsize). */
static const double arrow_length = 6;

/* cgraph's functions take char * where they only read. */
static char *plain(const char *s)
{
	return (char *)(uintptr_t)s;
}

struct places {
	Agnode_t **nodes; /* in the order in which they were made */
	struct tree_box *boxes;
	size_t n;
};

/* Lets Graphviz measure each label, with all nodes in one place and no edge drawn. */
static int measure(GVC_t *gvc, Agraph_t *root)
{
	(void)agattr(root, AGNODE, plain("pos"), plain("0,0"));
	(void)agattr(root, AGRAPH, plain("splines"), plain(""));
	if (gvLayout(gvc, root, "nop2") != 0)
		return -EIO;
	return 0;
}

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

static void set(void *item, const char *key, const char *value)
{
	(void)agsafeset(item, plain(key), plain(value), plain(""));
}

static void set_node(const struct places *p, size_t i)
{
	const struct tree_box *b = &p->boxes[i];
	char pos[64];

	(void)snprintf(pos, sizeof pos, "%.2f,%.2f", b->x + b->width / 2, -b->y);
	set(p->nodes[i], "pos", pos);
}

/* A straight piece to the end of the column, and a curve that leaves and arrives level. */
static void set_edge(const struct places *p, size_t i, Agedge_t *e)
{
	const struct tree_box *b = &p->boxes[i], *up = &p->boxes[b->parent];
	double x0 = up->x + up->width, x1 = up->turn, x2 = b->x - arrow_length;
	double y0 = -up->y, y1 = -b->y, third = (x1 - x0) / 3, half = (x2 - x1) / 2;
	char pos[384];

	(void)snprintf(pos, sizeof pos,
		"e,%.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f",
		b->x, y1, x0, y0, x0 + third, y0, x1 - third, y0, x1, y0, x1 + half, y0, x2 - half,
		y1, x2, y1);
	set(e, "pos", pos);
}

int place_tree(GVC_t *gvc, Agraph_t *root)
{
	struct places p = {0};
	int rc = measure(gvc, root);

	if (rc < 0)
		return rc;
	collect(&p, root);
	(void)gvFreeLayout(gvc, root);
	tree_layout(p.boxes, p.n);
	set(root, "splines", "true");
	for (size_t i = 0; i < p.n; i++) {
		set_node(&p, i);
		if (p.boxes[i].parent != TREE_ROOT)
			set_edge(&p, i, agfstin(root, p.nodes[i]));
	}
	free(p.nodes);
	free(p.boxes);
	return 0;
}

/* ---- A ring ---- */

enum { RING_MIN = 3, RING_MAX = 200 };

/* Points: between the boxes of two neighbours, and between the circle and a label. */
static const double ring_gap = 52, label_gap = 7;

struct ring {
	Agnode_t *nodes[RING_MAX];
	Agedge_t *edges[RING_MAX]; /* from the node of the same index to the next */
	int n;
	double radius;
};

/* Follows the only edge of each node until the first one comes again. */
static bool find_ring(struct ring *r, Agraph_t *root)
{
	Agnode_t *first = agfstnode(root), *n = first;

	do {
		if (!n || r->n == RING_MAX || agdegree(root, n, 1, 0) != 1 ||
			agdegree(root, n, 0, 1) != 1)
			return false;
		r->nodes[r->n] = n;
		r->edges[r->n] = agfstout(root, n);
		n = aghead(r->edges[r->n]);
		r->n++;
	} while (n != first);
	return r->n >= RING_MIN && r->n == agnnodes(root);
}

static double half_width(const Agnode_t *n)
{
	return ND_width((Agnode_t *)(uintptr_t)n) * POINTS_PER_INCH / 2;
}

static double half_height(const Agnode_t *n)
{
	return ND_height((Agnode_t *)(uintptr_t)n) * POINTS_PER_INCH / 2;
}

/* The circle is as wide as the two neighbours that need most room, if they stood side by side. */
static double ring_radius(const struct ring *r)
{
	double chord = 0;

	for (int i = 0; i < r->n; i++) {
		double need =
			half_width(r->nodes[i]) + half_width(r->nodes[(i + 1) % r->n]) + ring_gap;

		chord = need > chord ? need : chord;
	}
	return chord / 2 / sin(M_PI / r->n);
}

/* Counted clockwise from the top, in radians. */
static double angle_of(const struct ring *r, int i)
{
	return 2 * M_PI * i / r->n;
}

static double at_x(const struct ring *r, double angle)
{
	return r->radius * sin(angle);
}

static double at_y(const struct ring *r, double angle)
{
	return r->radius * cos(angle);
}

/* Returns the angle at which the circle leaves the box of a node, in the direction of step. */
static double leave_box(const struct ring *r, int i, double step)
{
	const Agnode_t *n = r->nodes[i % r->n];
	double x = at_x(r, angle_of(r, i)), y = at_y(r, angle_of(r, i)), angle = angle_of(r, i);

	while (fabs(at_x(r, angle) - x) < half_width(n) + 1 &&
		fabs(at_y(r, angle) - y) < half_height(n) + 1)
		angle += step;
	return angle;
}

/* An arc is drawn as one curve; its ends point along the circle (4/3 tan of a quarter of the angle). */
static void set_arc(const struct ring *r, int i)
{
	const double step = 0.5 / r->radius;
	double from = leave_box(r, i, step), tip = leave_box(r, i + 1, -step);
	double to = tip - arrow_length / r->radius, k = 4.0 / 3 * tan((to - from) / 4);
	char pos[384];

	if (to <= from) /* boxes that touch: cannot be, by the radius */
		to = from + step;
	(void)snprintf(pos, sizeof pos, "e,%.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f",
		at_x(r, tip), at_y(r, tip), at_x(r, from), at_y(r, from),
		at_x(r, from) + k * at_y(r, from), at_y(r, from) - k * at_x(r, from),
		at_x(r, to) - k * at_y(r, to), at_y(r, to) + k * at_x(r, to), at_x(r, to),
		at_y(r, to));
	set(r->edges[i], "pos", pos);
}

/* Says whether a label of that size and middle would cover a box. */
static bool covers(const struct ring *r, double x, double y, double w, double h)
{
	for (int i = 0; i < r->n; i++) {
		const Agnode_t *n = r->nodes[i];

		if (fabs(x - at_x(r, angle_of(r, i))) < w / 2 + half_width(n) + 2 &&
			fabs(y - at_y(r, angle_of(r, i))) < h / 2 + half_height(n) + 2)
			return true;
	}
	return false;
}

/* Beside the middle of the arc, outside or inside, where it is nearer without covering a box. */
static void set_label(const struct ring *r, int i, double w, double h)
{
	double middle = angle_of(r, i) + M_PI / r->n, s = sin(middle), c = cos(middle);
	double near = label_gap + fabs(s) * w / 2 + fabs(c) * h / 2;
	double at = r->radius + near;
	char pos[64];

	for (double more = 0; more < 2 * ring_gap; more += 2) {
		double out = r->radius + near + more, in = r->radius - near - more;

		if (!covers(r, out * s, out * c, w, h)) {
			at = out;
			break;
		}
		if (in > w / 2 && !covers(r, in * s, in * c, w, h)) {
			at = in;
			break;
		}
	}
	(void)snprintf(pos, sizeof pos, "%.2f,%.2f", at * s, at * c);
	set(r->edges[i], "lp", pos);
}

int place_ring(GVC_t *gvc, Agraph_t *root)
{
	struct ring r = {.n = 0};
	double w[RING_MAX], h[RING_MAX];
	int rc;

	if (!find_ring(&r, root))
		return 0;
	rc = measure(gvc, root);
	if (rc < 0)
		return rc;
	r.radius = ring_radius(&r);
	for (int i = 0; i < r.n; i++) {
		const textlabel_t *l = ED_label(r.edges[i]);

		w[i] = l ? l->dimen.x : 0;
		h[i] = l ? l->dimen.y : 0;
	}
	for (int i = 0; i < r.n; i++) {
		char pos[64];

		set_arc(&r, i);
		set_label(&r, i, w[i], h[i]);
		(void)snprintf(pos, sizeof pos, "%.2f,%.2f", at_x(&r, angle_of(&r, i)),
			at_y(&r, angle_of(&r, i)));
		set(r.nodes[i], "pos", pos);
	}
	(void)gvFreeLayout(gvc, root);
	set(root, "splines", "true");
	return 1;
}
