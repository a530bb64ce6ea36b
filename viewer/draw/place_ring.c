/* place_ring.c - who waits for whom in a ring, drawn as one. */
/* SPDX-License-Identifier: MIT */
#include "viewer/draw/place.h"

#include <math.h>
#include <stdbool.h>

#include "base/mem.h"
#include "viewer/draw/cgraph.h"

enum { RING_MIN = 3, NODES_MAX = 200 };

/* Points: between the boxes of two neighbours, between an arrow and its label, and from a box to one behind it. */
static const double ring_gap = 52, label_gap = 7, tail_gap = 30;

/* Every node has one edge, which leads to the next of the ring or towards it. */
struct spot {
	Agnode_t *node;
	Agedge_t *edge;
	int next;      /* where the edge leads */
	double w, h;   /* half of its width and height */
	double lw, lh; /* half of the label's */
	double x, y;   /* of its middle; y grows upwards */
};

/* The ring is the first n_ring spots, in order. */
struct ring {
	struct spot spots[NODES_MAX];
	int n, n_ring;
	double radius;
};

static int index_of(const struct ring *r, const Agnode_t *node)
{
	for (int i = 0; i < r->n; i++)
		if (r->spots[i].node == node)
			return i;
	return -1;
}

static bool add(struct ring *r, Agraph_t *root, Agnode_t *n)
{
	if (r->n == NODES_MAX || agdegree(root, n, 0, 1) != 1)
		return false;
	r->spots[r->n++] = (struct spot){.node = n, .edge = agfstout(root, n)};
	return true;
}

static Agnode_t *follow(Agraph_t *root, Agnode_t *n)
{
	Agedge_t *e = n ? agfstout(root, n) : NULL;

	return e ? aghead(e) : NULL;
}

/* After as many steps as there are nodes one is in the ring, if each has a successor. */
static Agnode_t *enter(Agraph_t *root)
{
	Agnode_t *n = agfstnode(root);

	for (int i = agnnodes(root); i > 0; i--)
		n = follow(root, n);
	return n;
}

/* The ring begins where most others wait behind it, so that they stand at the top. */
static int waiters(Agraph_t *root, Agnode_t *n)
{
	return agdegree(root, n, 1, 0);
}

static bool find_ring(struct ring *r, Agraph_t *root)
{
	Agnode_t *first = enter(root), *n = first;

	if (!first)
		return false;
	for (Agnode_t *at = follow(root, first); at != first; at = follow(root, at))
		if (!at)
			return false;
		else if (waiters(root, at) > waiters(root, n))
			n = at;
	first = n;
	do {
		if (!add(r, root, n))
			return false;
		n = follow(root, n);
	} while (n != first);
	r->n_ring = r->n;
	return r->n_ring >= RING_MIN;
}

/* The others, each after the one to which it leads: false if they lead elsewhere. */
static bool find_tails(struct ring *r, Agraph_t *root)
{
	for (int i = 0; i < r->n; i++) {
		for (Agedge_t *e = agfstin(root, r->spots[i].node); e; e = agnxtin(root, e)) {
			Agnode_t *from = agtail(e);

			if (index_of(r, from) < 0 && !add(r, root, from))
				return false;
		}
	}
	for (int i = 0; i < r->n; i++) {
		Agedge_t *e = r->spots[i].edge;

		r->spots[i].next = index_of(r, aghead(e));
	}
	return r->n == agnnodes(root);
}

static void read_sizes(struct ring *r)
{
	for (int i = 0; i < r->n; i++) {
		struct spot *s = &r->spots[i];
		const textlabel_t *l = ED_label(s->edge);

		s->w = ND_width(s->node) * POINTS_PER_INCH / 2;
		s->h = ND_height(s->node) * POINTS_PER_INCH / 2;
		s->lw = l ? l->dimen.x / 2 : 0;
		s->lh = l ? l->dimen.y / 2 : 0;
	}
}

/* Counted clockwise from the top, in radians. */
static double angle_of(const struct ring *r, int i)
{
	return 2 * M_PI * i / r->n_ring;
}

/* The circle is as wide as the two neighbours that need most room, if they stood side by side. */
static void place_circle(struct ring *r)
{
	double chord = 0;

	for (int i = 0; i < r->n_ring; i++) {
		double need = r->spots[i].w + r->spots[(i + 1) % r->n_ring].w + ring_gap;

		chord = need > chord ? need : chord;
	}
	r->radius = chord / 2 / sin(M_PI / r->n_ring);
	for (int i = 0; i < r->n_ring; i++) {
		r->spots[i].x = r->radius * sin(angle_of(r, i));
		r->spots[i].y = r->radius * cos(angle_of(r, i));
	}
}

/* How many wait behind the same one, and which of them this is. */
static int count_siblings(const struct ring *r, int i, int *ret_rank)
{
	int n = 0;

	for (int k = r->n_ring; k < r->n; k++) {
		if (k == i)
			*ret_rank = n;
		n += r->spots[k].next == r->spots[i].next;
	}
	return n;
}

/* Outwards from the one that it waits for, and side by side with those that wait for the same. */
static void place_tail(struct ring *r, int i)
{
	struct spot *s = &r->spots[i];
	const struct spot *on = &r->spots[s->next];
	double far = hypot(on->x, on->y), ux = on->x / far, uy = on->y / far;
	double out = fabs(ux) * (on->w + s->w + 2 * s->lw) + fabs(uy) * (on->h + s->h + 2 * s->lh) +
		     tail_gap;
	int rank = 0, n = count_siblings(r, i, &rank);
	double aside = (rank - (n - 1) / 2.0) *
		       (fabs(uy) * (2 * s->w + 2 * s->lw) + fabs(ux) * (2 * s->h + 2 * s->lh));

	s->x = on->x + ux * out + uy * aside;
	s->y = on->y + uy * out - ux * aside;
}

static bool covers(const struct spot *s, double x, double y, double w, double h)
{
	return fabs(s->x - x) < s->w + w && fabs(s->y - y) < s->h + h;
}

static bool any_overlap(const struct ring *r)
{
	for (int i = 0; i < r->n; i++)
		for (int k = 0; k < i; k++)
			if (covers(&r->spots[i], r->spots[k].x, r->spots[k].y, r->spots[k].w + 2,
				    r->spots[k].h + 2))
				return true;
	return false;
}

/* Returns the angle at which the circle leaves the box of a node, in the direction of step. */
static double leave_box(const struct ring *r, int i, double step)
{
	double angle = angle_of(r, i);

	while (covers(
		&r->spots[i % r->n_ring], r->radius * sin(angle), r->radius * cos(angle), 1, 1))
		angle += step;
	return angle;
}

/* An arc is drawn as one curve; its ends point along the circle (4/3 tan of a quarter of the angle). */
static void set_arc(const struct ring *r, int i)
{
	const double radius = r->radius, step = 0.5 / radius;
	double from = leave_box(r, i, step), tip = leave_box(r, i + 1, -step);
	double to = tip - PLACE_ARROW / radius, k;
	char pos[384];

	if (to <= from) /* boxes that touch: cannot be, by the radius */
		to = from + step;
	k = radius * 4.0 / 3 * tan((to - from) / 4);
	(void)snprintf(pos, sizeof pos, "e,%.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f",
		radius * sin(tip), radius * cos(tip), radius * sin(from), radius * cos(from),
		radius * sin(from) + k * cos(from), radius * cos(from) - k * sin(from),
		radius * sin(to) - k * cos(to), radius * cos(to) + k * sin(to), radius * sin(to),
		radius * cos(to));
	cgraph_set(r->spots[i].edge, "pos", pos);
}

/* Returns how far from a box's middle its side is in a direction. */
static double to_side(const struct spot *s, double ux, double uy)
{
	double across = fabs(ux) > 1e-9 ? s->w / fabs(ux) : INFINITY;
	double up = fabs(uy) > 1e-9 ? s->h / fabs(uy) : INFINITY;

	return across < up ? across : up;
}

static void set_line(const struct ring *r, int i)
{
	const struct spot *s = &r->spots[i], *on = &r->spots[s->next];
	double d = hypot(on->x - s->x, on->y - s->y);
	double ux = (on->x - s->x) / d, uy = (on->y - s->y) / d;
	double from = to_side(s, ux, uy) + 1, tip = d - to_side(on, ux, uy) - 1;
	double to = tip - PLACE_ARROW, third = (to - from) / 3, middle = (from + to) / 2;
	char pos[384];

	(void)snprintf(pos, sizeof pos, "e,%.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f",
		s->x + ux * tip, s->y + uy * tip, s->x + ux * from, s->y + uy * from,
		s->x + ux * (from + third), s->y + uy * (from + third), s->x + ux * (to - third),
		s->y + uy * (to - third), s->x + ux * to, s->y + uy * to);
	cgraph_set(s->edge, "pos", pos);
	/* Beside it, to the right of one that goes up or down, else above. */
	(void)snprintf(pos, sizeof pos, "%.2f,%.2f",
		s->x + ux * middle + fabs(uy) * (s->lw + label_gap),
		s->y + uy * middle + fabs(ux) * (s->lh + label_gap));
	cgraph_set(s->edge, "lp", pos);
}

static bool is_free(const struct ring *r, double x, double y, double w, double h)
{
	for (int i = 0; i < r->n; i++)
		if (covers(&r->spots[i], x, y, w + 2, h + 2))
			return false;
	return true;
}

/* Beside the middle of the arc, outside or inside, where it is nearer without covering a box. */
static void set_label(const struct ring *r, int i)
{
	double middle = angle_of(r, i) + M_PI / r->n_ring, s = sin(middle), c = cos(middle);
	double w = r->spots[i].lw, h = r->spots[i].lh;
	double near = label_gap + fabs(s) * w + fabs(c) * h, at = r->radius + near;
	char pos[64];

	for (double more = 0; more < 2 * ring_gap; more += 2) {
		double out = r->radius + near + more, in = r->radius - near - more;

		if (is_free(r, out * s, out * c, w, h)) {
			at = out;
			break;
		}
		if (in > w && is_free(r, in * s, in * c, w, h)) {
			at = in;
			break;
		}
	}
	(void)snprintf(pos, sizeof pos, "%.2f,%.2f", at * s, at * c);
	cgraph_set(r->spots[i].edge, "lp", pos);
}

static void set_spot(const struct ring *r, int i)
{
	const struct spot *s = &r->spots[i];
	char pos[64];

	(void)snprintf(pos, sizeof pos, "%.2f,%.2f", s->x, s->y);
	cgraph_set(s->node, "pos", pos);
	if (i < r->n_ring) {
		set_arc(r, i);
		set_label(r, i);
	} else {
		set_line(r, i);
	}
}

/* Returns 1, 0 or a negative errno, as place_ring. */
static int place(struct ring *r, GVC_t *gvc, Agraph_t *root)
{
	int rc;

	if (!find_ring(r, root) || !find_tails(r, root))
		return 0;
	rc = place_measure(gvc, root);
	if (rc < 0)
		return rc;
	read_sizes(r);
	(void)gvFreeLayout(gvc, root);
	cgraph_set(root, "splines", "true");
	place_circle(r);
	for (int i = r->n_ring; i < r->n; i++)
		place_tail(r, i);
	if (any_overlap(r))
		return 0;
	for (int i = 0; i < r->n; i++)
		set_spot(r, i);
	return 1;
}

int place_ring(GVC_t *gvc, Agraph_t *root)
{
	struct ring *r = xcalloc(1, sizeof *r);
	int rc = place(r, gvc, root);

	free(r);
	return rc;
}
