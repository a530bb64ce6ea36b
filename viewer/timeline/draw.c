/* draw.c - what is on the lanes of a timeline: spans, marks and arrows. */
/* SPDX-License-Identifier: MIT */
#include "viewer/timeline/private.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "viewer/draw/graph.h"
#include "viewer/load/load.h"
#include "viewer/draw/style.h"
#include "viewer/timeline/timeline.h"

#define LEVEL_PITCH 6.0
#define MIN_BOX 0.6

/* Waits are hollow where running is solid: a tint of the reason's colour and a line around it. */
static void paint_span(struct draw *d, struct graph_item *it, const struct span *s, double w)
{
	char fill[8], line[8];

	switch (s->kind) {
	case SPAN_WAIT:
		canvas_mix(fill, wait_info(s->reason)->colour, STYLE_PAPER, 0.28);
		canvas_mix(line, wait_info(s->reason)->colour, STYLE_INK, 0.8);
		if (s->stuck)
			canvas_paint(it, "#fde3e3", STYLE_RED, 2);
		else
			canvas_paint(it, fill, w > 3 ? line : NULL, 0.6);
		break;
	case SPAN_WAITS:
		canvas_mix(fill, wait_info(s->reason)->colour, STYLE_RUN, 0.35);
		canvas_mix(fill, fill, STYLE_PAPER, 0.65);
		canvas_paint(it, fill, NULL, 0);
		break;
	case SPAN_HOLD:
		canvas_paint(it, draw_lock_color(d->tl, s->lock_id), NULL, 0);
		break;
	case SPAN_HOLDS:
		canvas_mix(fill, STYLE_LINE, STYLE_PAPER, 0.7);
		canvas_paint(it, fill, NULL, 0);
		break;
	case SPAN_ZOMBIE:
		canvas_paint(it, STYLE_PAPER, STYLE_PURPLE, 1);
		graph_set(it, "style", "filled,dashed");
		break;
	case SPAN_ALIVE:
		canvas_mix(fill, STYLE_RUN, STYLE_PAPER, 0.45);
		canvas_paint(it, fill, NULL, 0);
		break;
	case SPAN_RAN:
		canvas_paint(it, STYLE_RUN, NULL, 0);
		break;
	}
}

static void label_span(struct draw *d, struct graph_item *it, const struct span *s, double w)
{
	bool hold = s->kind == SPAN_HOLD || s->kind == SPAN_HOLDS;
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (hold)
		return;
	if (s->stuck)
		buf_adds(&b, "\xe2\x9c\x96 ");
	timeline_add_short(&b, d->tl, s);
	if (s->stuck)
		buf_adds(&b, ", never ended");
	if (!b.len || canvas_width(b.data, TEXT_SIZE) + 4 > w)
		return;
	graph_text(it, "label", b.data);
	graph_setf(it, "fontsize", "%.1f", TEXT_SIZE);
	if (s->stuck) {
		graph_set(it, "fontname", "Helvetica-Bold");
		graph_set(it, "fontcolor", STYLE_RED);
	}
}

static const char *span_class(const struct span *s, char *out, size_t len)
{
	static const char *const names[] = {
		"wait", "waits", "hold", "holds", "zombie", "alive", "ran"};
	bool has_reason = s->kind == SPAN_WAIT || s->kind == SPAN_WAITS;

	(void)snprintf(out, len, "%s%s%s%s", names[s->kind], has_reason ? " r-" : "",
		has_reason ? wait_info(s->reason)->name : "", s->stuck ? " deadlock" : "");
	return out;
}

void draw_spans(struct draw *d, size_t lane)
{
	const struct lane *l = &d->tl->lanes[lane];

	for (size_t i = 0; i < l->n; i++) {
		const struct span *s = &l->spans[i];
		bool hold = s->kind == SPAN_HOLD || s->kind == SPAN_HOLDS;
		double x = draw_x(d, s->from), w = draw_x(d, s->to) - x, y = d->y[lane];
		_cleanup_buf_ struct buf tip = BUF_INIT;
		struct graph_item *it;
		const char *stack;
		char class[64];

		w = w < MIN_BOX ? MIN_BOX : w;
		y += hold ? PITCH - 2 + (double)s->level * LEVEL_PITCH : (PITCH - BAR) / 2;
		(void)span_class(s, class, sizeof class);
		it = canvas_box(&d->c, NULL, class, x, y, w, hold ? HOLD_BAR : BAR);
		paint_span(d, it, s, w);
		label_span(d, it, s, w);
		timeline_add_span(&tip, d->tl, s);
		stack = s->kind == SPAN_WAIT ? hash_get(&d->tl->stacks, (uint64_t)s->id) : NULL;
		if (stack)
			buf_addf(&tip, "\n%s", stack);
		graph_tooltip(it, tip.data);
	}
}

static const char *lane_name(const struct timeline *tl, size_t lane)
{
	const struct lane *l = &tl->lanes[lane];

	if (l->thread == NONE || l->is_first)
		return tl->t->procs[l->proc].name;
	return trace_thread_name(tl->t, l->thread);
}

static void arrow_tooltip(struct graph_item *it, const struct timeline *tl, const struct arrow *a)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_addf(&b, "%s: %s \xe2\x86\x92 %s", arrow_looks[a->kind].words, lane_name(tl, a->from),
		lane_name(tl, a->to));
	if (a->kind == ARROW_SIGNAL)
		buf_addf(&b, "\n%s", trace_signal_name(a->signo));
	if (a->kind == ARROW_DATA)
		buf_addf(&b, "\n%lld bytes", (long long)a->bytes);
	buf_adds(&b, "\nat ");
	buf_add_duration(&b, a->t_from);
	if (a->t_to > a->t_from) {
		buf_adds(&b, ", arrives after ");
		buf_add_duration(&b, a->t_to - a->t_from);
	}
	if (a->count > 1)
		buf_addf(&b, "\nstands for %zu", a->count);
	graph_tooltip(it, b.data);
}

void draw_arrows(struct draw *d)
{
	const struct timeline *tl = d->tl;

	for (size_t i = 0; i < tl->n_arrows; i++) {
		const struct arrow *a = &tl->arrows[i];
		bool down = a->to > a->from;
		double y1 = d->y[a->from] + PITCH / 2 + (down ? BAR / 2 : -BAR / 2);
		double y2 = d->y[a->to] + PITCH / 2 + (down ? -BAR / 2 : BAR / 2);
		double x2 = draw_x(d, a->t_to);
		struct graph_item *it = canvas_arrow(&d->c, arrow_looks[a->kind].class,
			d->life[a->from], d->life[a->to], draw_x(d, a->t_from), y1, x2, y2);

		graph_set(it, "color", arrow_looks[a->kind].color);
		graph_set(it, "style", arrow_looks[a->kind].style);
		graph_set(it, "penwidth", a->count > 1 ? "1.2" : "0.8");
		arrow_tooltip(it, tl, a);
		if (a->kind == ARROW_SIGNAL)
			draw_small_name(d, a->to, "signal-name", x2 + 3, y2 + (down ? -4 : 4),
				STYLE_PURPLE, trace_signal_name(a->signo));
	}
}
