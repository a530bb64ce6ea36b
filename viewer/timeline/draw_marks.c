/* draw_marks.c - points in the life of a thread: programs it executed, signals it took. */
/* SPDX-License-Identifier: MIT */
/*
 * Equal marks that would overlap become one that says how many there are: a
 * shell that runs 500 commands takes 500 SIGCHLD.
 */
#include "viewer/timeline/private.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "viewer/draw/graph.h"
#include "viewer/draw/style.h"
#include "viewer/load/load.h"

#define SMALL_TEXT 6.5
#define MARK 6.0 /* width and height */

/* Marks of one kind on one lane, from first to last in order of time. */
struct group {
	const struct mark *first, *last;
	size_t n;
	double x, w;
};

void draw_small_name(struct draw *d, size_t row, const char *class, double x, double y,
	const char *color, const char *text)
{
	struct name_row *r = &d->names[row];
	double to = x + canvas_width(text, SMALL_TEXT) + 2;

	for (size_t i = 0; i < r->n; i++)
		if (x < r->list[i].to && to > r->list[i].from)
			return;
	ARRAY_GROW(r->list, r->n, r->cap);
	r->list[r->n++] = (struct name_place){x, to};
	(void)canvas_text(&d->c, class, x, y, SMALL_TEXT, color, text);
}

struct graph_item *draw_mark(struct draw *d, enum mark_kind kind, double x, double y)
{
	static const char *const classes[] = {
		[MARK_EXEC] = "exec", [MARK_EXEC_FAILED] = "exec failed", [MARK_SIGNAL] = "signal"};
	struct graph_item *it =
		canvas_box(&d->c, NULL, classes[kind], x - MARK / 2, y - MARK / 2, MARK, MARK);

	graph_set(it, "shape", kind == MARK_SIGNAL ? "invtriangle" : "diamond");
	if (kind == MARK_SIGNAL)
		canvas_paint(it, STYLE_PURPLE, NULL, 0);
	else
		canvas_paint(it, kind == MARK_EXEC ? STYLE_INK : STYLE_PAPER, STYLE_INK, 0.6);
	return it;
}

/* The mark, or for several the first and the last, and a bar between them. */
static void draw_group(struct draw *d, const struct group *g, double y, const char *tip)
{
	enum mark_kind kind = g->first->kind;
	struct graph_item *bar;

	graph_tooltip(draw_mark(d, kind, g->x, y), tip);
	if (g->w <= 0)
		return;
	bar = canvas_box(&d->c, NULL, kind == MARK_SIGNAL ? "signal" : "exec", g->x, y - MARK / 2,
		g->w, MARK / 3);
	canvas_paint(bar, kind == MARK_SIGNAL ? STYLE_PURPLE : STYLE_INK, NULL, 0);
	graph_tooltip(bar, tip);
	graph_tooltip(draw_mark(d, kind, g->x + g->w, y), tip);
}

static void add_times(struct buf *b, const struct group *g)
{
	buf_adds(b, g->n == 1 ? "\nat " : "\nfrom ");
	buf_add_duration(b, g->first->ts);
	if (g->n == 1)
		return;
	buf_adds(b, " to ");
	buf_add_duration(b, g->last->ts);
}

static const char *program(const struct exec_row *e)
{
	const char *slash = strrchr(e->path, '/');

	return slash && slash[1] ? slash + 1 : e->path;
}

/* Says whether the program's name is not on the lane already. */
static bool is_news(const struct timeline *tl, const struct exec_row *e)
{
	const struct proc_row *p = &tl->t->procs[e->proc];

	return p->n_execs > 1 || strncmp(program(e), p->name, strlen(p->name)) != 0;
}

static void draw_execs(struct draw *d, const struct group *g, double y)
{
	const struct exec_row *e = &d->tl->t->execs[g->first->exec];
	_cleanup_buf_ struct buf tip = BUF_INIT;
	_cleanup_free_ char *fit = NULL, *name = NULL;

	if (g->n > 1)
		buf_addf(&tip, "exec %zu times, first:\n", g->n);
	buf_addf(&tip, "exec %s\n%s", e->path, e->command);
	if (e->error)
		buf_addf(&tip, "\nfailed: %s", strerror(e->error));
	add_times(&tip, g);
	draw_group(d, g, y, tip.data);
	if (e->error || !is_news(d->tl, e))
		return;
	fit = text_fit(program(e), 16);
	name = g->n > 2 ? xasprintf("%s \xc3\x97%zu", fit, g->n) : xstrdup(fit);
	draw_small_name(d, g->first->lane, "exec-name", g->x + 2, y - 4, STYLE_INK, name);
}

static void draw_signals(struct draw *d, const struct group *g, double y)
{
	const char *signal = trace_signal_name(g->first->signo);
	_cleanup_free_ char *name =
		g->n > 1 ? xasprintf("%s \xc3\x97%zu", signal, g->n) : xstrdup(signal);
	_cleanup_buf_ struct buf tip = BUF_INIT;

	buf_addf(&tip, "takes %s", signal);
	if (g->n > 1)
		buf_addf(&tip, " %zu times", g->n);
	add_times(&tip, g);
	draw_group(d, g, y, tip.data);
	draw_small_name(d, g->first->lane, "signal-name", g->x + 3, y - 4, STYLE_PURPLE, name);
}

static int order(const struct mark *x, const struct mark *y)
{
	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->signo < y->signo ? -1 : x->signo > y->signo;
}

static int by_kind(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;
	int o = order(x, y);

	return o ? o : x->ts < y->ts ? -1 : x->ts > y->ts;
}

static int by_place(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->first->lane != y->first->lane)
		return x->first->lane < y->first->lane ? -1 : 1;
	return x->x < y->x ? -1 : x->x > y->x;
}

/* Marks that are closer than that become one; a program's name is worth more room than that of a signal again. */
static double closer(const struct mark *m)
{
	return m->kind == MARK_SIGNAL ? MARK + 2 : MARK / 2;
}

/* Returns how many groups n sorted marks make. */
static size_t group(const struct draw *d, const struct mark *marks, size_t n, struct group *groups)
{
	size_t made = 0;

	for (size_t i = 0; i < n; i++) {
		double x = draw_x(d, marks[i].ts);
		struct group *g = made ? &groups[made - 1] : NULL;

		if (!g || order(g->first, &marks[i]) != 0 || x - (g->x + g->w) >= closer(&marks[i]))
			groups[made++] = (struct group){&marks[i], &marks[i], 1, x, 0};
		else
			*g = (struct group){g->first, &marks[i], g->n + 1, g->x, x - g->x};
	}
	return made;
}

void draw_marks(struct draw *d)
{
	size_t n = d->tl->n_marks;
	struct mark *marks = xcalloc(n + 1, sizeof *marks);
	struct group *groups = xcalloc(n + 1, sizeof *groups);

	if (n) {
		memcpy(marks, d->tl->marks, n * sizeof *marks);
		qsort(marks, n, sizeof *marks, by_kind);
		n = group(d, marks, n, groups);
		/* From left to right, for the names: the first of two that would overlap is written. */
		qsort(groups, n, sizeof *groups, by_place);
	}
	for (size_t i = 0; i < n; i++) {
		double y = d->y[groups[i].first->lane] + (PITCH - BAR) / 2 + 1;

		if (groups[i].first->kind == MARK_SIGNAL)
			draw_signals(d, &groups[i], y);
		else
			draw_execs(d, &groups[i], y);
	}
	free(marks);
	free(groups);
}
