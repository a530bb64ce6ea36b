/* draw.c - the picture of a timeline: title, axis, and the lanes between, one below the other. */
/* SPDX-License-Identifier: MIT */
/*
 *  title
 *            0        100 ms     200 ms     300 ms
 *  main 4711 ████[ join worker           ]██ exit 0
 *    worker     ███[ lock m ]█████
 *                            ▬▬▬ m
 *  legend
 */
#include <inttypes.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "viewer/draw/canvas.h"
#include "viewer/draw/graph.h"
#include "viewer/load/load.h"
#include "viewer/draw/style.h"
#include "viewer/draw/ticks.h"
#include "viewer/timeline/timeline.h"
#include "viewer/timeline/private.h"
#include "viewer/tree/tree.h"

#define LABEL_WIDTH 190.0
#define MIN_MARGIN 84.0 /* on the right, where the ends of processes are written */
#define TITLE_HEIGHT 46.0
#define AXIS_HEIGHT 18.0
#define GROUP_GAP 5.0

enum { TICK_DISTANCE = 90 };

/* Places the lanes from top to bottom. */
static void place_lanes(struct draw *d)
{
	double y = TITLE_HEIGHT + AXIS_HEIGHT + GROUP_GAP;

	d->y = xcalloc(d->tl->n_lanes + 1, sizeof *d->y);
	d->life = xcalloc(d->tl->n_lanes + 1, sizeof *d->life);
	d->names = xcalloc(d->tl->n_lanes + 1, sizeof *d->names);
	for (size_t i = 0; i < d->tl->n_lanes; i++) {
		const struct lane *l = &d->tl->lanes[i];

		if (i > 0 && (l->is_first || l->is_fold))
			y += GROUP_GAP;
		d->y[i] = y;
		y += PITCH + (double)l->levels * LEVEL_PITCH;
	}
	d->y[d->tl->n_lanes] = y + GROUP_GAP;
}

static void draw_title(struct draw *d)
{
	const struct trace *t = d->tl->t;
	_cleanup_buf_ struct buf b = BUF_INIT;

	(void)canvas_bold(&d->c, "title", 0, 10, 16, STYLE_INK, t->title);
	trace_add_subtitle(&b, t);
	(void)canvas_text(&d->c, "subtitle", 0, 30, 10, STYLE_GREY, b.data);
}

static void draw_axis(struct draw *d)
{
	const struct timeline *tl = d->tl;
	int64_t step = ticks_step(tl->since, tl->until, (unsigned)(d->plot / TICK_DISTANCE) + 2);
	double top = TITLE_HEIGHT + AXIS_HEIGHT, bottom = d->y[tl->n_lanes];

	for (int64_t ts = ticks_first(tl->since, step); ts <= tl->until; ts += step) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		double x = draw_x(d, ts), w;

		canvas_paint(canvas_box(&d->c, NULL, "grid", x - 0.25, top, 0.5, bottom - top),
			STYLE_FAINT, NULL, 0);
		ticks_label(&b, ts, step);
		w = canvas_width(b.data, 9) * 0.9;
		(void)canvas_text(&d->c, "tick", x - w / 2, top - 9, 9, STYLE_GREY, b.data);
	}
}

/* Where events were lost, what the lanes show may lack something. */
static void draw_gaps(struct draw *d)
{
	double top = TITLE_HEIGHT + AXIS_HEIGHT, bottom = d->y[d->tl->n_lanes];

	for (size_t i = 0; i < d->tl->n_gaps; i++) {
		const struct timeline_gap *gap = &d->tl->gaps[i];
		double x = draw_x(d, gap->from), w = draw_x(d, gap->to) - x;
		struct graph_item *it =
			canvas_box(&d->c, NULL, "gap", x, top, w > 1 ? w : 1, bottom - top);
		_cleanup_buf_ struct buf b = BUF_INIT;

		canvas_paint(it, DRAW_GAP_FILL, STYLE_ORANGE, 0.4);
		buf_addf(&b, "%" PRId64 " event%s lost between ", gap->count,
			gap->count == 1 ? " was" : "s were");
		buf_add_duration(&b, gap->from);
		buf_adds(&b, " and ");
		buf_add_duration(&b, gap->to);
		graph_tooltip(it, b.data);
	}
}

/* A band behind each process that has several lanes shows that they belong together. */
static void draw_band(struct draw *d, size_t first)
{
	const struct timeline *tl = d->tl;
	size_t last = first;
	double y = d->y[first], h;

	while (last + 1 < tl->n_lanes && !tl->lanes[last + 1].is_first &&
		tl->lanes[last + 1].proc == tl->lanes[first].proc)
		last++;
	if (last == first)
		return;
	h = d->y[last] + PITCH + (double)tl->lanes[last].levels * LEVEL_PITCH - y;
	canvas_paint(canvas_box(&d->c, NULL, "band", -6, y - 2, d->left + d->plot + d->margin + 6,
			     h + 3),
		STYLE_BOX, STYLE_FAINT, 0.5);
}

/* The longest of these words must fit to the right of the plot. */
static double right_margin(const struct timeline *tl)
{
	double most = MIN_MARGIN;

	for (size_t i = 0; i < tl->n_lanes; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		double w = draw_add_end(&b, tl, &tl->lanes[i]) ? canvas_width(b.data, 8) + 12 : 0;

		most = w > most ? w : most;
	}
	return most;
}

struct graph *timeline_graph(const struct timeline *tl, double width, bool link)
{
	struct draw d = {.tl = tl, .link = link, .left = LABEL_WIDTH, .c = canvas_new("timeline")};

	d.margin = right_margin(tl);
	d.plot = width - LABEL_WIDTH - d.margin;
	if (d.plot < 100)
		d.plot = 100;
	graph_set(graph_self(d.c.g), "tooltip", "what each thread did over time");
	place_lanes(&d);
	draw_title(&d);
	for (size_t i = 0; i < tl->n_lanes; i++)
		if (tl->lanes[i].is_first)
			draw_band(&d, i);
	draw_gaps(&d);
	draw_axis(&d);
	for (size_t i = 0; i < tl->n_lanes; i++)
		draw_lane(&d, i);
	draw_marks(&d);
	draw_arrows(&d);
	draw_path(&d);
	draw_legend(&d, d.y[tl->n_lanes] + 8);
	free(d.y);
	free(d.life);
	for (size_t i = 0; i <= tl->n_lanes; i++)
		free(d.names[i].list);
	free(d.names);
	return d.c.g;
}
