/* draw_legend.c - say what the colours and lines of a timeline mean. */
/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "viewer/draw/graph.h"
#include "viewer/load/load.h"
#include "viewer/draw/style.h"
#include "viewer/timeline/timeline.h"
#include "viewer/timeline/private.h"

/* The legend is written from left to right and shows only what occurs. */
struct legend {
	struct draw *d;
	double x, y, last_x;
};

static struct graph_item *legend_entry(struct legend *g, const char *words, double w, double h)
{
	struct draw *d = g->d;
	double room = w + 5 + canvas_width(words, TEXT_SIZE) + 12;
	struct graph_item *it;

	if (g->x > 0 && g->x + room > d->left + d->plot) {
		g->x = 0;
		g->y += 16;
	}
	it = canvas_box(&d->c, NULL, "legend", g->x, g->y - h / 2, w, h);
	graph_tooltip(it, words);
	(void)canvas_text(&d->c, "legend", g->x + w + 4, g->y, TEXT_SIZE, STYLE_INK, words);
	g->last_x = g->x;
	g->x += room;
	return it;
}

struct seen {
	bool kinds[SPAN_RAN + 1], reasons[WAIT_REASON_END], stuck;
};

static struct seen look(const struct timeline *tl)
{
	struct seen seen = {0};

	for (size_t i = 0; i < tl->n_lanes; i++)
		for (size_t k = 0; k < tl->lanes[i].n; k++) {
			const struct span *s = &tl->lanes[i].spans[k];

			seen.kinds[s->kind] = true;
			if (s->kind == SPAN_WAIT)
				seen.reasons[s->reason] = true;
			seen.stuck = seen.stuck || s->stuck;
		}
	return seen;
}

enum { LEGEND_LOCKS = 8 };

/* A few locks are named, each with its colour. */
static void legend_locks(struct legend *g)
{
	const struct timeline *tl = g->d->tl;
	int64_t shown[LEGEND_LOCKS];
	size_t n = 0;

	for (size_t i = 0; i < tl->n_lanes; i++)
		for (size_t k = 0; k < tl->lanes[i].n; k++) {
			const struct span *s = &tl->lanes[i].spans[k];
			size_t at = 0;

			while (at < n && shown[at] != s->lock_id)
				at++;
			if (s->kind != SPAN_HOLD || at < n)
				continue;
			if (n == LEGEND_LOCKS) {
				canvas_paint(legend_entry(g, "holds a lock (a colour for each)", 18,
						     HOLD_BAR),
					draw_lock_color(g->d->tl, 0), NULL, 0);
				return;
			}
			shown[n++] = s->lock_id;
		}
	for (size_t i = 0; i < n; i++) {
		const struct lock_row *l = resources_lock(&tl->res, shown[i]);
		_cleanup_free_ char *name = text_fit(l ? l->name : "a lock", 24);
		_cleanup_free_ char *words = xasprintf("holds %s", name);

		canvas_paint(legend_entry(g, words, 18, HOLD_BAR), draw_lock_color(tl, shown[i]),
			NULL, 0);
	}
}

static void legend_spans(struct legend *g, const struct seen *seen)
{
	char fill[8], line[8];

	canvas_paint(legend_entry(g, g->d->tl->has_sched ? "running" : "running or ready", 18, 9),
		STYLE_RUN, NULL, 0);
	if (g->d->tl->has_sched)
		canvas_paint(legend_entry(g, "ready, not running", 18, 9), STYLE_READY, NULL, 0);
	for (unsigned r = 0; r < WAIT_REASON_END; r++) {
		const struct wait_info *info = wait_info(r);
		struct graph_item *it;

		if (!seen->reasons[r])
			continue;
		it = legend_entry(g, wait_words(info, false), 18, 9);
		canvas_mix(fill, info->colour, STYLE_PAPER, 0.28);
		canvas_mix(line, info->colour, STYLE_INK, 0.8);
		canvas_paint(it, fill, line, 0.6);
		graph_setf(it, "class", "legend wait r-%s", info->name);
	}
	if (seen->stuck)
		canvas_paint(legend_entry(g, "\xe2\x9c\x96 stuck forever", 18, 9), "#fde3e3",
			STYLE_RED, 2);
	if (seen->kinds[SPAN_WAITS]) {
		canvas_mix(fill, STYLE_RUN, STYLE_PAPER, 0.5);
		canvas_paint(legend_entry(g, "many short waits", 18, 9), fill, NULL, 0);
	}
	if (seen->kinds[SPAN_HOLD])
		legend_locks(g);
	if (seen->kinds[SPAN_HOLDS]) {
		canvas_mix(fill, STYLE_LINE, STYLE_PAPER, 0.7);
		canvas_paint(legend_entry(g, "many short holds", 18, HOLD_BAR), fill, NULL, 0);
	}
	if (seen->kinds[SPAN_ZOMBIE]) {
		struct graph_item *it = legend_entry(g, "zombie", 18, 9);

		canvas_paint(it, STYLE_PAPER, STYLE_PURPLE, 1);
		graph_set(it, "style", "filled,dashed");
	}
}

static void legend_marks(struct legend *g)
{
	static const char *const words[] = {[MARK_EXEC] = "exec: another program",
		[MARK_EXEC_FAILED] = "exec that failed",
		[MARK_SIGNAL] = "takes a signal"};
	const struct timeline *tl = g->d->tl;
	bool marks[MARK_KINDS] = {0};

	for (size_t i = 0; i < tl->n_marks; i++)
		marks[tl->marks[i].kind] = true;
	for (int k = 0; k < MARK_KINDS; k++) {
		if (!marks[k])
			continue;
		canvas_paint(legend_entry(g, words[k], 6, 9), "transparent", NULL, 0);
		graph_tooltip(draw_mark(g->d, (enum mark_kind)k, g->last_x + 3, g->y), words[k]);
	}
}

void draw_legend(struct draw *d, double y)
{
	struct legend g = {.d = d, .y = y + 8};
	struct seen seen = look(d->tl);
	bool arrows[ARROW_KINDS] = {0};
	_cleanup_buf_ struct buf b = BUF_INIT;

	legend_spans(&g, &seen);
	for (size_t i = 0; i < d->tl->n_arrows; i++)
		arrows[d->tl->arrows[i].kind] = true;
	for (int k = 0; k < ARROW_KINDS; k++) {
		struct graph_item *a, *e;

		if (!arrows[k])
			continue;
		a = legend_entry(&g, arrow_looks[k].words, 18, 9);
		canvas_paint(a, "transparent", NULL, 0);
		e = canvas_line(&d->c, arrow_looks[k].class, a, g.last_x, g.y, g.last_x + 18);
		graph_set(e, "color", arrow_looks[k].color);
		graph_set(e, "style", arrow_looks[k].style);
	}
	legend_marks(&g);
	if (d->tl->n_gaps)
		canvas_paint(legend_entry(&g, "events were lost", 18, 9), DRAW_GAP_FILL,
			STYLE_ORANGE, 0.4);
	if (d->tl->path)
		canvas_paint(legend_entry(&g, "critical path", 18, 2.6), STYLE_INK, NULL, 0);
	timeline_add_folded(&b, d->tl);
	if (b.len)
		(void)canvas_text(&d->c, "folded", 0, g.y + 18, TEXT_SIZE, STYLE_GREY, b.data);
}
