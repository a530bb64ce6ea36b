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

/* Boxes and windows are wider than high: a ring is as high as that part of its width, if nothing covers anything else then. */
static const double flatness = 0.7;

/* A label so much farther from its arc than it need be seems to belong to something else. */
static const double label_far = 24;

/* Every node has one edge, which leads to the next of the ring or towards it. */
struct spot {
	Agnode_t *node;
	Agedge_t *edge;
	int next;      /* where the edge leads */
	double w, h;   /* half of its width and height */
	double lw, lh; /* half of the label's */
	double lx, ly; /* of the label's middle, once it has its place */
	bool is_labelled;
	double x, y; /* of its middle; y grows upwards */
};

/* The ring is the first n_ring spots, in order. */
struct ring {
	struct spot spots[NODES_MAX];
	int n, n_ring;
	double radius; /* half of its width */
	double flat;   /* its height as a part of its width */
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

static double ring_x(const struct ring *r, double angle)
{
	return r->radius * sin(angle);
}

static double ring_y(const struct ring *r, double angle)
{
	return r->radius * r->flat * cos(angle);
}

/* The ring is as wide as the two neighbours that need most room, if they stood side by side. */
static void place_circle(struct ring *r)
{
	double chord = 0;

	for (int i = 0; i < r->n_ring; i++) {
		double need = r->spots[i].w + r->spots[(i + 1) % r->n_ring].w + ring_gap;

		chord = need > chord ? need : chord;
	}
	r->radius = chord / 2 / sin(M_PI / r->n_ring);
	for (int i = 0; i < r->n_ring; i++) {
		r->spots[i].x = ring_x(r, angle_of(r, i));
		r->spots[i].y = ring_y(r, angle_of(r, i));
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

/* Returns the angle at which the ring leaves the box of a node, in the direction of step. */
static double leave_box(const struct ring *r, int i, double step)
{
	double angle = angle_of(r, i);

	while (covers(&r->spots[i % r->n_ring], ring_x(r, angle), ring_y(r, angle), 1, 1))
		angle += step;
	return angle;
}

/* An arc is drawn as one curve; its ends point along the ring, a circle that is pressed flat (4/3 tan of a quarter of the angle). */
static void set_arc(const struct ring *r, int i)
{
	const double radius = r->radius, step = 0.5 / radius;
	double from = leave_box(r, i, step), tip = leave_box(r, i + 1, -step);
	double to = tip - PLACE_ARROW / (radius * hypot(cos(tip), r->flat * sin(tip))), k;
	char pos[384];

	if (to <= from) /* boxes that touch: cannot be, by the radius */
		to = from + step;
	k = radius * 4.0 / 3 * tan((to - from) / 4);
	(void)snprintf(pos, sizeof pos, "e,%.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f",
		ring_x(r, tip), ring_y(r, tip), ring_x(r, from), ring_y(r, from),
		ring_x(r, from) + k * cos(from), ring_y(r, from) - r->flat * k * sin(from),
		ring_x(r, to) - k * cos(to), ring_y(r, to) + r->flat * k * sin(to), ring_x(r, to),
		ring_y(r, to));
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
	double to = tip - PLACE_ARROW, third = (to - from) / 3;
	char pos[384];

	(void)snprintf(pos, sizeof pos, "e,%.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f",
		s->x + ux * tip, s->y + uy * tip, s->x + ux * from, s->y + uy * from,
		s->x + ux * (from + third), s->y + uy * (from + third), s->x + ux * (to - third),
		s->y + uy * (to - third), s->x + ux * to, s->y + uy * to);
	cgraph_set(s->edge, "pos", pos);
}

static bool is_free(const struct ring *r, double x, double y, double w, double h)
{
	for (int i = 0; i < r->n; i++) {
		const struct spot *s = &r->spots[i];

		if (covers(s, x, y, w + 2, h + 2) ||
			(s->is_labelled && fabs(s->lx - x) < s->lw + w + 2 &&
				fabs(s->ly - y) < s->lh + h + 2))
			return false;
	}
	return true;
}

static void put_label(struct spot *s, double x, double y)
{
	s->lx = x;
	s->ly = y;
	s->is_labelled = true;
}

/*
 * Beside the line of one that waits behind the ring, straight away from it: to its right or above it, else on the other side.
 * Returns false if it covers something on either.
 */
static bool label_line(struct ring *r, int i)
{
	struct spot *s = &r->spots[i];
	const struct spot *on = &r->spots[s->next];
	double d = hypot(on->x - s->x, on->y - s->y);
	double ux = (on->x - s->x) / d, uy = (on->y - s->y) / d;
	double middle = (to_side(s, ux, uy) + d - to_side(on, ux, uy) - PLACE_ARROW) / 2;
	double side = fabs(uy) < 1e-9 ? -copysign(1, ux) : copysign(1, uy);
	double away = fabs(uy) * s->lw + fabs(ux) * s->lh + label_gap;

	for (int tries = 0; tries < 2; tries++, side = -side) {
		double x = s->x + ux * middle + side * uy * away;
		double y = s->y + uy * middle - side * ux * away;

		if (!is_free(r, x, y, s->lw, s->lh))
			continue;
		put_label(s, x, y);
		return true;
	}
	put_label(s, s->x + ux * middle + side * uy * away, s->y + uy * middle - side * ux * away);
	return false;
}

/* A direction away from an arc, and how far a label must be from its middle there, so that it lies beyond the arc. */
struct way {
	double ux, uy, least;
};

/*
 * Beside the middle of the arc, outside or inside, where it is nearest without covering a box or another label: straight
 * away from it, to its side, or above or below it. Returns how much farther away that is than it would like to be.
 */
static double label_arc(struct ring *r, int i)
{
	struct spot *s = &r->spots[i];
	double middle = angle_of(r, i) + M_PI / r->n_ring;
	double x = ring_x(r, middle), y = ring_y(r, middle);
	double ux = r->flat * sin(middle), uy = cos(middle), length = hypot(ux, uy);
	double near = label_gap + (fabs(ux) * s->lw + fabs(uy) * s->lh) / length;
	const struct way ways[] = {
		{ux / length, uy / length, near},
		{copysign(1, ux), 0, near * length / fmax(fabs(ux), 1e-3)},
		{0, copysign(1, uy), near * length / fmax(fabs(uy), 1e-3)},
	};

	for (double far = near; far < near + 3 * ring_gap; far += 2)
		for (size_t k = 0; k < 2 * ARRAY_SIZE(ways); k++) {
			const struct way *way = &ways[k / 2];
			bool outside = k % 2 == 0;
			double by = outside ? far : -far;

			if (far < way->least || (!outside && far > r->radius * r->flat - s->lw))
				continue;
			if (is_free(r, x + by * way->ux, y + by * way->uy, s->lw, s->lh)) {
				put_label(s, x + by * way->ux, y + by * way->uy);
				return far - near;
			}
		}
	put_label(s, x + near * ux / length, y + near * uy / length);
	return INFINITY;
}

static void set_spot(const struct ring *r, int i)
{
	const struct spot *s = &r->spots[i];
	char pos[64];

	(void)snprintf(pos, sizeof pos, "%.2f,%.2f", s->x, s->y);
	cgraph_set(s->node, "pos", pos);
	(void)snprintf(pos, sizeof pos, "%.2f,%.2f", s->lx, s->ly);
	cgraph_set(s->edge, "lp", pos);
	if (i < r->n_ring)
		set_arc(r, i);
	else
		set_line(r, i);
}

/* Gives all boxes and labels their places. Says whether that looks well: no box covers another one, and no label is farther from its arc than that. */
static bool place_all(struct ring *r, double flat, double farthest)
{
	double far = 0;
	bool is_clear = true;

	r->flat = flat;
	place_circle(r);
	for (int i = 0; i < r->n; i++)
		r->spots[i].is_labelled = false;
	for (int i = r->n_ring; i < r->n; i++)
		place_tail(r, i);
	/* The labels of the ring make way for those of the others. */
	for (int i = r->n_ring; i < r->n; i++)
		is_clear &= label_line(r, i);
	for (int i = 0; i < r->n_ring; i++)
		far = fmax(far, label_arc(r, i));
	return is_clear && !any_overlap(r) && far <= farthest;
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
	if (!place_all(r, flatness, label_far) && !place_all(r, 1, INFINITY))
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
