/* draw_path.c - the critical path on a timeline: a line below the lanes that it goes through. */
/* SPDX-License-Identifier: MIT */
#include "viewer/timeline/private.h"

#include "base/buf.h"
#include "base/mem.h"
#include "viewer/draw/graph.h"
#include "viewer/draw/style.h"
#include "viewer/load/load.h"
#include "viewer/path/path.h"
#include "viewer/tree/tree.h"

#define LINE 2.6  /* height of the line */
#define LINK 1.2  /* width of what connects two lanes */
#define CLOSE 0.8 /* what is not further apart is drawn as one */

/* The part of a line that is not drawn yet, because the next may continue it. */
struct stay {
	double x0, x1;
	const struct path_step *longest;
	bool is_open;
};

bool *timeline_path_lanes(const struct trace *t, const struct path *p)
{
	bool *on = xcalloc(t->n_threads + 1, sizeof *on);

	for (size_t i = 0; i < p->n; i++) {
		size_t main_thread = t->procs[t->threads[p->steps[i].thread].proc].main_thread;

		on[p->steps[i].thread] = true;
		if (main_thread != NONE)
			on[main_thread] = true;
	}
	return on;
}

static double line_y(const struct draw *d, size_t lane)
{
	return d->y[lane] + (PITCH + BAR) / 2 - LINE / 2;
}

static void flush(struct draw *d, struct stay *s, size_t lane)
{
	_cleanup_buf_ struct buf tip = BUF_INIT;
	struct graph_item *it;

	if (!s->is_open)
		return;
	it = canvas_box(&d->c, NULL, "path", s->x0, line_y(d, lane),
		s->x1 - s->x0 < CLOSE ? CLOSE : s->x1 - s->x0, LINE);
	canvas_paint(it, STYLE_INK, NULL, 0);
	buf_adds(&tip, "critical path: ");
	path_add_what(&tip, d->tl->path, s->longest);
	buf_adds(&tip, "\nfrom ");
	buf_add_duration(&tip, s->longest->from);
	buf_adds(&tip, ", ");
	buf_add_duration(&tip, s->longest->to - s->longest->from);
	graph_tooltip(it, tip.data);
	s->is_open = false;
}

static void extend(struct draw *d, struct stay *s, size_t lane, const struct path_step *step)
{
	double x0 = draw_x(d, step->from), x1 = draw_x(d, step->to);

	if (s->is_open && x0 > s->x1 + CLOSE)
		flush(d, s, lane);
	if (!s->is_open)
		*s = (struct stay){x0, x1, step, true};
	s->x1 = x1 > s->x1 ? x1 : s->x1;
	if (step->to - step->from > s->longest->to - s->longest->from)
		s->longest = step;
}

/* Lines from lane to lane: of more than that only those are drawn that lead to a stay that one can see, or they would be a black field. */
enum { LINKS_MAX = 400 };

struct link {
	size_t from, to;
	double x, stay;
};

struct links {
	struct hash seen; /* two lanes and a point of the axis */
	struct link *list;
	size_t n, cap;
};

/* Once for each two lanes and each point of the axis. */
static void add_link(struct links *links, size_t from, size_t to, double x, double stay)
{
	if (hash_set(&links->seen, hash_mix(from, to, (uint64_t)(x / CLOSE)), links))
		return;
	ARRAY_GROW(links->list, links->n, links->cap);
	links->list[links->n++] = (struct link){from, to, x, stay};
}

static void draw_links(struct draw *d, const struct links *links)
{
	for (size_t i = 0; i < links->n; i++) {
		const struct link *l = &links->list[i];
		double a = line_y(d, l->from), b = line_y(d, l->to);

		if (links->n > LINKS_MAX && l->stay < CLOSE)
			continue;
		canvas_paint(canvas_box(&d->c, NULL, "path", l->x - LINK / 2, a < b ? a : b, LINK,
				     (a < b ? b - a : a - b) + LINE),
			STYLE_INK, NULL, 0);
	}
}

/* Returns of each thread the lane of the fold that hides it, or NONE. The caller frees it. */
static size_t *fold_lanes(const struct timeline *tl)
{
	const struct trace *t = tl->t;
	_cleanup_free_ size_t *procs = xcalloc(t->n_procs + 1, sizeof *procs);
	size_t *lanes = xcalloc(t->n_threads + 1, sizeof *lanes);

	for (size_t i = 0; i < t->n_procs; i++)
		procs[i] = NONE;
	for (size_t i = 0; i < t->n_threads; i++)
		lanes[i] = NONE;
	for (size_t i = 0; i < tl->n_lanes; i++) {
		const struct tree_node *n = &tl->tree->nodes[tl->lanes[i].fold_node];

		for (size_t k = 0; tl->lanes[i].is_fold && k < n->n_members; k++)
			*(n->members[k] < t->n_procs ? &procs[n->members[k]]
						     : &lanes[n->members[k] - t->n_procs]) = i;
	}
	/* What those who are folded created is hidden with them; who creates comes before. */
	for (size_t i = 0; i < t->n_procs; i++) {
		const struct proc_row *p = &t->procs[i];
		size_t maker = p->creator != NONE ? t->threads[p->creator].proc : p->parent;

		if (procs[i] == NONE && maker < i)
			procs[i] = procs[maker];
	}
	for (size_t i = 0; i < t->n_threads; i++)
		if (lanes[i] == NONE)
			lanes[i] = procs[t->threads[i].proc];
	return lanes;
}

/* A step in a fold is drawn on that, without a line that leads there: there would be too many. */
static size_t lane_of_step(const struct timeline *tl, const size_t *folds, size_t thread)
{
	return tl->lane_of[thread] != NONE ? tl->lane_of[thread] : folds[thread];
}

void draw_path(struct draw *d)
{
	const struct timeline *tl = d->tl;
	struct stay *stays = xcalloc(tl->n_lanes + 1, sizeof *stays);
	_cleanup_free_ size_t *folds = tl->path ? fold_lanes(tl) : NULL;
	struct links links = {0};
	size_t before = NONE;

	for (size_t i = 0; tl->path && i < tl->path->n; i++) {
		const struct path_step *s = &tl->path->steps[i];
		size_t lane = lane_of_step(tl, folds, s->thread);

		if (lane == NONE || s->to <= tl->since || s->from >= tl->until)
			continue;
		if (before != NONE && before != lane && !tl->lanes[lane].is_fold)
			add_link(&links, before, lane, draw_x(d, s->from),
				draw_x(d, s->to) - draw_x(d, s->from));
		extend(d, &stays[lane], lane, s);
		before = tl->lanes[lane].is_fold ? NONE : lane;
	}
	for (size_t i = 0; i < tl->n_lanes; i++)
		flush(d, &stays[i], i);
	draw_links(d, &links);
	hash_done(&links.seen);
	free(links.list);
	free(stays);
}
