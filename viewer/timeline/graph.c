/* graph.c - draw the timeline as boxes and arrows. */
/* SPDX-License-Identifier: MIT */
/*
 *  title
 *            0        100 ms     200 ms     300 ms
 *  main 4711 ████[ join worker           ]██ exit 0
 *    worker     ███[ lock m ]█████
 *                            ▬▬▬ m
 *  legend
 */
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
#define LEVEL_PITCH 6.0
#define GROUP_GAP 5.0
#define MIN_BOX 0.6

enum { LABEL_CHARS = 24, TICK_DISTANCE = 90 };

/* Places the lanes from top to bottom. */
static void place_lanes(struct draw *d)
{
	double y = TITLE_HEIGHT + AXIS_HEIGHT + GROUP_GAP;

	d->y = xcalloc(d->tl->n_lanes + 1, sizeof *d->y);
	d->life = xcalloc(d->tl->n_lanes + 1, sizeof *d->life);
	d->named_to = xcalloc(d->tl->n_lanes + 1, sizeof *d->named_to);
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

/* Returns how many average letters a text is as wide as: a name in capitals needs more room. */
static double letters(const char *text)
{
	double n = (double)text_width(text);

	for (const char *c = text; *c; c++)
		n += strchr("WMmw@%", *c) ? 0.6 : *c >= 'A' && *c <= 'Z' ? 0.15 : 0;
	return n;
}

/* Returns the name, cut so that the number beside it has its place. The caller frees it. */
static char *label_fit(const char *name, size_t chars)
{
	char *fit = text_fit(name, chars);

	for (size_t n = chars; n > 4 && letters(fit) > (double)chars + 1; n--) {
		free(fit);
		fit = text_fit(name, n - 1);
	}
	return fit;
}

static void draw_label(struct draw *d, size_t i)
{
	const struct timeline *tl = d->tl;
	const struct lane *l = &tl->lanes[i];
	const struct proc_row *p = &tl->t->procs[l->proc];
	const struct thread_row *th = l->thread == NONE ? NULL : &tl->t->threads[l->thread];
	enum stuck stuck = th ? th->stuck : l->is_fold ? STUCK_NOT : p->stuck;
	double y = d->y[i] + PITCH / 2, x = 0;
	_cleanup_free_ char *name = NULL, *id = NULL;
	const char *color = stuck ? STYLE_RED : STYLE_INK;

	if (l->is_fold) {
		_cleanup_free_ char *fit = text_fit(tl->tree->nodes[l->fold_node].words, 36);

		(void)canvas_text(&d->c, "fold", 0, y, 8.5, STYLE_GREY, fit);
		return;
	}
	name = label_fit(l->is_first ? p->name : trace_thread_name(tl->t, l->thread),
		LABEL_CHARS - 2 * !l->is_first);
	id = xasprintf(
		"%s%lld", l->is_first ? "" : "", (long long)(l->is_first ? p->pid : th->tid));
	if (stuck) {
		(void)canvas_bold(&d->c, "deadlock", 0, y, 10, STYLE_RED, "\xe2\x9c\x96");
		x = 12;
	}
	if (!l->is_first)
		x += 12;
	if (l->is_first)
		(void)canvas_bold(&d->c, "name", x, y, 9.5, color, name);
	else
		(void)canvas_text(&d->c, "name", x, y, 9.5, color, name);
	(void)canvas_text(
		&d->c, "pid", d->left - canvas_width(id, 8.5) - 10, y, 8.5, STYLE_GREY, id);
}

/* Adds what ended the process of a lane, if that is written at the end of the lane: says whether it is. */
static bool add_end(struct buf *b, const struct timeline *tl, const struct lane *l)
{
	const struct proc_row *p = &tl->t->procs[l->proc];
	bool bad = p->end_kind == LIFE_SIGNAL || p->exit_code != 0;

	if (!l->is_first || l->is_fold)
		return false;
	buf_adds(b, p->end == TIME_NEVER ? "\xe2\x96\xb6 running" : bad ? "\xe2\x9c\x97 " : "");
	if (p->end != TIME_NEVER)
		trace_add_status(b, p);
	if (p->orphan)
		buf_adds(b, ", orphan");
	return true;
}

/* What ends a process stands at the end of its lane, in words. */
static void draw_end(struct draw *d, size_t i)
{
	const struct lane *l = &d->tl->lanes[i];
	const struct proc_row *p = &d->tl->t->procs[l->proc];
	int64_t end = p->zombie_to > p->end && p->end != TIME_NEVER ? p->zombie_to : l->to;
	bool bad = p->end_kind == LIFE_SIGNAL || p->exit_code != 0;
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (end > d->tl->until || !add_end(&b, d->tl, l))
		return;
	(void)canvas_text(&d->c, bad ? "end failed" : "end", draw_x(d, end) + 4,
		d->y[i] + PITCH / 2, 8, bad ? STYLE_RED : STYLE_GREY, b.data);
}

/* The longest of these words must fit to the right of the plot. */
static double right_margin(const struct timeline *tl)
{
	double most = MIN_MARGIN;

	for (size_t i = 0; i < tl->n_lanes; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		double w = add_end(&b, tl, &tl->lanes[i]) ? canvas_width(b.data, 8) + 12 : 0;

		most = w > most ? w : most;
	}
	return most;
}

/* The life of a thread; waits are drawn over it, so what is left of it is running. */
static void draw_life(struct draw *d, size_t i)
{
	const struct lane *l = &d->tl->lanes[i];
	double x1 = draw_x(d, l->from), x2 = draw_x(d, l->to);
	_cleanup_free_ char *id = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	bool visible = l->to >= d->tl->since && !l->is_fold;

	if (l->is_fold)
		id = xasprintf("tl-fold%zu", l->fold_node);
	else if (l->thread == NONE)
		id = xasprintf("tl-p%lld", (long long)d->tl->t->procs[l->proc].id);
	else
		id = xasprintf("tl-t%lld", (long long)d->tl->t->threads[l->thread].id);
	d->life[i] = canvas_box(&d->c, id, "run", x1, d->y[i] + (PITCH - BAR) / 2,
		x2 - x1 < MIN_BOX ? MIN_BOX : x2 - x1, BAR);
	canvas_paint(d->life[i],
		!visible           ? "transparent"
		: d->tl->has_sched ? STYLE_READY
				   : STYLE_RUN,
		NULL, 0);
	buf_addf(&b,
		d->tl->has_sched ? "%s, is ready to run\nfrom "
				 : "%s, runs or is ready to run\nfrom ",
		l->thread == NONE ? d->tl->t->procs[l->proc].name
				  : trace_thread_name(d->tl->t, l->thread));
	buf_add_duration(&b, l->from);
	buf_adds(&b, " to ");
	buf_add_duration(&b, l->to);
	graph_tooltip(d->life[i], b.data);
	if (d->link && !l->is_fold && l->is_first)
		graph_setf(d->life[i], "URL", "#row-p%lld", (long long)d->tl->t->procs[l->proc].id);
	else if (d->link && !l->is_fold)
		graph_setf(d->life[i], "URL", "#row-%s", id + 3);
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
	draw_axis(&d);
	for (size_t i = 0; i < tl->n_lanes; i++) {
		draw_label(&d, i);
		draw_life(&d, i);
		draw_spans(&d, i);
		draw_end(&d, i);
	}
	draw_marks(&d);
	draw_arrows(&d);
	draw_path(&d);
	draw_legend(&d, d.y[tl->n_lanes] + 8);
	free(d.y);
	free(d.life);
	free(d.named_to);
	return d.c.g;
}
