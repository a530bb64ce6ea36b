/* draw_arrows.c - draw what one thread did to another: arrows between the lanes of a timeline. */
/* SPDX-License-Identifier: MIT */
#include "viewer/timeline/private.h"

#include "base/buf.h"
#include "viewer/draw/graph.h"
#include "viewer/draw/style.h"
#include "viewer/load/load.h"

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
			draw_small_name(d, a->to + !down, "signal-name", x2 + 3,
				y2 + (down ? -4 : 4), STYLE_PURPLE, trace_signal_name(a->signo));
	}
}
