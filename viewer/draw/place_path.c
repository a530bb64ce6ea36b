/* place_path.c - a long path, of which each box has a neighbour or two, drawn in rows as a text is: to and fro. */
/* SPDX-License-Identifier: MIT */
#include "viewer/draw/place.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>

#include "base/mem.h"
#include "viewer/draw/cgraph.h"

/* Of fewer boxes the picture that Graphviz makes is no strip. */
enum { PATH_LEAST = 16 };

/* Points: between two boxes of a row at least, beside a label, and between two rows. */
static const double box_gap = 40, label_gap = 5, row_gap = 26;

/* The picture is about so many times as wide as it is high. */
static const double wide = 1.6;

/* A box, and the arrow between it and the next one, whichever way that leads. */
struct stop {
	Agnode_t *node;
	Agedge_t *edge; /* NULL: the last */
	double w, h;    /* half of its width and height */
	double lw, lh;  /* half of the label's */
	double x, y;    /* of its middle; y grows upwards */
	bool turns;     /* the next one stands below */
	bool is_left;   /* that is at the left of the picture */
};

struct chain {
	struct stop *stops;
	size_t n;
};

/* The first box of the path: one with a single neighbour, from which an arrow leads away if there is such. */
static Agnode_t *find_end(Agraph_t *root)
{
	Agnode_t *end = NULL;

	for (Agnode_t *n = agfstnode(root); n; n = agnxtnode(root, n))
		if (agdegree(root, n, 1, 1) == 1 && (!end || !agfstout(root, end)))
			end = n;
	return end;
}

static bool find_path(struct chain *p, Agraph_t *root)
{
	size_t all = (size_t)agnnodes(root);
	Agnode_t *at = find_end(root);
	Agedge_t *from = NULL;

	if (all < PATH_LEAST || (size_t)agnedges(root) != all - 1 || !at)
		return false;
	p->stops = xcalloc(all, sizeof *p->stops);
	while (at && p->n < all) {
		Agedge_t *next = NULL;

		if (agdegree(root, at, 1, 1) > 2)
			return false;
		for (Agedge_t *e = agfstedge(root, at); e; e = agnxtedge(root, e, at))
			if (AGMKOUT(e) != from)
				next = AGMKOUT(e);
		p->stops[p->n++] = (struct stop){.node = at, .edge = next};
		from = next;
		at = !next ? NULL : aghead(next) == at ? agtail(next) : aghead(next);
	}
	return !at && p->n == all;
}

/* Returns the length of all boxes and arrows in one row. */
static double read_sizes(struct chain *p)
{
	double length = 0;

	for (size_t i = 0; i < p->n; i++) {
		struct stop *s = &p->stops[i];
		const textlabel_t *l = s->edge ? ED_label(s->edge) : NULL;

		s->w = ND_width(s->node) * POINTS_PER_INCH / 2;
		s->h = ND_height(s->node) * POINTS_PER_INCH / 2;
		s->lw = l ? l->dimen.x / 2 : 0;
		s->lh = l ? l->dimen.y / 2 : 0;
		length += 2 * s->w + fmax(box_gap, 2 * (s->lw + label_gap) + PLACE_ARROW);
	}
	return length;
}

/* How far two rows are apart: labels stand above the arrows of a row, and beside those that lead to the next. */
static double row_pitch(const struct chain *p)
{
	double box = 0, label = 0;

	for (size_t i = 0; i < p->n; i++) {
		box = fmax(box, p->stops[i].h);
		label = fmax(label, p->stops[i].lh);
	}
	return fmax(2 * box, box + 2 * label + label_gap) +
	       fmax(row_gap, 2 * label + 2 * label_gap);
}

static void place(struct chain *p, double length)
{
	double pitch = row_pitch(p), width = sqrt(wide * length * pitch), x = 0, y = 0, way = 1;

	for (size_t i = 0; i < p->n; i++) {
		struct stop *s = &p->stops[i], *before = i ? s - 1 : NULL;
		double step;

		if (before) {
			step = before->w + s->w +
			       fmax(box_gap, 2 * (before->lw + label_gap) + PLACE_ARROW);
			before->is_left = way < 0;
			before->turns = way * (x + way * (step + s->w)) > (way > 0 ? width : 0);
			x += before->turns ? 0 : way * step;
			y -= before->turns ? pitch : 0;
			way = before->turns ? -way : way;
		}
		s->x = x;
		s->y = y;
	}
}

/* Where a line from one box to the next leaves the one and arrives at the other: beside each other, or below. */
static void set_arrow(const struct stop *s)
{
	const struct stop *next = s + 1;
	const char *dir = agget(s->edge, cgraph_text("dir"));
	bool forth = agtail(s->edge) == s->node, back = dir && !strcmp(dir, "back");
	const struct stop *from = forth ? s : next, *to = forth ? next : s;
	double ux = s->turns ? 0 : from->x < to->x ? 1 : -1;
	double uy = !s->turns ? 0 : from->y < to->y ? 1 : -1;
	double x0 = from->x + ux * (from->w + 1), y0 = from->y + uy * (from->h + 1);
	double x1 = to->x - ux * (to->w + 1), y1 = to->y - uy * (to->h + 1);
	double tip_x = back ? x0 : x1, tip_y = back ? y0 : y1;
	char pos[384];

	if (back) {
		x0 += ux * PLACE_ARROW;
		y0 += uy * PLACE_ARROW;
	} else {
		x1 -= ux * PLACE_ARROW;
		y1 -= uy * PLACE_ARROW;
	}
	(void)snprintf(pos, sizeof pos, "%c,%.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f",
		back ? 's' : 'e', tip_x, tip_y, x0, y0, x0 + (x1 - x0) / 3, y0 + (y1 - y0) / 3,
		x1 - (x1 - x0) / 3, y1 - (y1 - y0) / 3, x1, y1);
	cgraph_set(s->edge, "pos", pos);
}

static void set_label(const struct stop *s)
{
	const struct stop *next = s + 1;
	double x = (s->x + next->x) / 2, y = (s->y + next->y) / 2;
	char pos[64];

	/* On the outside: inside are the labels of the row below. */
	if (s->turns)
		x += (s->is_left ? -1 : 1) * (s->lw + label_gap);
	else if (s->x < next->x)
		x = (s->x + s->w + next->x - next->w) / 2;
	else
		x = (s->x - s->w + next->x + next->w) / 2;
	if (!s->turns)
		y += s->lh + label_gap;
	(void)snprintf(pos, sizeof pos, "%.2f,%.2f", x, y);
	cgraph_set(s->edge, "lp", pos);
}

static void set_all(const struct chain *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct stop *s = &p->stops[i];
		char pos[64];

		(void)snprintf(pos, sizeof pos, "%.2f,%.2f", s->x, s->y);
		cgraph_set(s->node, "pos", pos);
		if (!s->edge)
			continue;
		set_arrow(s);
		set_label(s);
	}
}

int place_path(GVC_t *gvc, Agraph_t *root)
{
	struct chain p = {0};
	int rc = 0;

	if (find_path(&p, root))
		rc = place_measure(gvc, root) < 0 ? -EIO : 1;
	if (rc == 1) {
		double length = read_sizes(&p);

		(void)gvFreeLayout(gvc, root);
		cgraph_set(root, "splines", "true");
		place(&p, length);
		set_all(&p);
	}
	free(p.stops);
	return rc;
}
