/* draw_lane.c - draw one lane of a timeline: its name, the life of the thread, what it waited for and held, how it ended. */
/* SPDX-License-Identifier: MIT */
#include "viewer/timeline/private.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "viewer/draw/graph.h"
#include "viewer/load/load.h"
#include "viewer/draw/style.h"
#include "viewer/timeline/timeline.h"
#include "viewer/tree/tree.h"

#define MIN_BOX 0.6
#define END_CLEAR 1.5     /* between the words at the end of a lane and an arrow */
#define END_FARTHEST 90.0 /* so far from it they still belong to it */

enum { LABEL_CHARS = 24 };

/* Returns the name, cut so that the number beside it has its place. The caller frees it. */
static char *label_fit(const char *name, size_t chars)
{
	char *fit = text_fit(name, chars);

	for (size_t n = chars; n > 4 && canvas_letters(fit) > (double)chars + 1; n--) {
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
		const struct tree_node *n = &tl->tree->nodes[l->fold_node];
		_cleanup_free_ char *fit = text_fit(n->words, 36);

		(void)canvas_text(&d->c, "fold", 0, y, 8.5, n->stuck ? STYLE_RED : STYLE_GREY, fit);
		return;
	}
	name = label_fit(l->is_first ? p->name : trace_thread_name(tl->t, l->thread),
		LABEL_CHARS - 2 * !l->is_first);
	id = xasprintf("%lld", (long long)(l->is_first ? p->pid : th->tid));
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

static void draw_spans(struct draw *d, size_t lane)
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

bool draw_add_end(struct buf *b, const struct timeline *tl, const struct lane *l)
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

/* Returns where an arrow crosses a lane between the two that it connects: it leaves and arrives vertically, as canvas_arrow draws it. */
static double crossing(const struct draw *d, const struct arrow *a, size_t lane)
{
	double x1 = draw_x(d, a->t_from), x2 = draw_x(d, a->t_to);
	double part = (d->y[lane] - d->y[a->from]) / (d->y[a->to] - d->y[a->from]);

	return x1 + (x2 - x1) * part * part * (3 - 2 * part);
}

/* Returns the first place from x on where a text of that width stands beside the arrows that cross the lane; x itself where that would be too far. */
static double beside_arrows(const struct draw *d, size_t lane, double x, double width)
{
	double at = x;

	for (size_t i = 0; i < d->tl->n_arrows; i++) {
		const struct arrow *a = &d->tl->arrows[i];
		size_t top = a->from < a->to ? a->from : a->to;
		double cross;

		if (lane <= top || lane >= a->from + a->to - top)
			continue;
		cross = crossing(d, a, lane);
		if (cross < at - END_CLEAR || cross > at + width)
			continue;
		at = cross + 2 * END_CLEAR;
		if (at > x + END_FARTHEST || at + width > d->left + d->plot + d->margin)
			return x;
		i = (size_t)-1; /* those that were beside it may cross it now */
	}
	return at;
}

/* What ends a process stands at the end of its lane, in words. */
static void draw_end(struct draw *d, size_t i)
{
	const struct lane *l = &d->tl->lanes[i];
	const struct proc_row *p = &d->tl->t->procs[l->proc];
	int64_t end = p->zombie_to > p->end && p->end != TIME_NEVER ? p->zombie_to : l->to;
	bool bad = p->end_kind == LIFE_SIGNAL || p->exit_code != 0;
	_cleanup_buf_ struct buf b = BUF_INIT;
	double x = draw_x(d, end) + 4;

	if (end > d->tl->until || !draw_add_end(&b, d->tl, l))
		return;
	x = beside_arrows(d, i, x, canvas_width(b.data, TEXT_SIZE));
	(void)canvas_text(&d->c, bad ? "end failed" : "end", x, d->y[i] + PITCH / 2, TEXT_SIZE,
		bad ? STYLE_RED : STYLE_GREY, b.data);
}

void draw_lane(struct draw *d, size_t lane)
{
	draw_label(d, lane);
	draw_life(d, lane);
	draw_spans(d, lane);
	draw_end(d, lane);
}
