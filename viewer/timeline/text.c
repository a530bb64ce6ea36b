/* text.c - the timeline as characters, for a terminal. */
/* SPDX-License-Identifier: MIT */
/*
 *                           │0        │50 ms     │100 ms
 * thread-count-mu     5000  █├────────── join counter ───────┤█
 *   counter           5001  █├─ sleep ─┤├─ lock print_mutex ─┤
 *                            ▔ print_mut
 */
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "viewer/load/load.h"
#include "viewer/draw/text.h"
#include "viewer/draw/ticks.h"
#include "viewer/timeline/timeline.h"
#include "viewer/tree/tree.h"

enum { NAME_WIDTH = 22, PID_END = 30, GLYPH_MAX = TEXT_CHAR_MAX + 1, TICK_COLUMNS = 12 };

struct cell {
	char glyph[GLYPH_MAX]; /* one character; "": blank */
	enum text_color color;
	bool is_second; /* of a character that takes two columns */
};

struct strip {
	const struct timeline *tl;
	struct cell *cells;
	size_t n;
};

static void put(struct strip *s, size_t at, const char *glyph, enum text_color color)
{
	if (at >= s->n)
		return;
	/* Half a character cannot stay. */
	if (s->cells[at].is_second)
		s->cells[at - 1].glyph[0] = '\0';
	if (at + 1 < s->n && s->cells[at + 1].is_second)
		s->cells[at + 1] = (struct cell){.color = color};
	s->cells[at].is_second = false;
	(void)snprintf(s->cells[at].glyph, sizeof s->cells[at].glyph, "%s", glyph);
	s->cells[at].color = color;
}

static void fill(struct strip *s, size_t from, size_t to, const char *glyph, enum text_color color)
{
	for (size_t i = from; i <= to; i++)
		put(s, i, glyph, color);
}

/* Writes a label into the middle of a range that has room for it and a blank on both sides. */
static bool label(struct strip *s, size_t from, size_t to, const char *text, enum text_color color)
{
	size_t w = text_width(text), at, columns;

	if (!w || to - from + 1 < w + 4)
		return false;
	at = from + (to - from + 1 - w - 2) / 2;
	put(s, at++, " ", color);
	while (*text) {
		char one[GLYPH_MAX] = "";
		size_t n = text_char(text, &columns);

		(void)snprintf(one, sizeof one, "%.*s", (int)n, text);
		put(s, at, one, color);
		if (columns > 1 && at + 1 < s->n) {
			put(s, at + 1, "", color);
			s->cells[at + 1].is_second = true;
		}
		at += columns;
		text += n;
	}
	put(s, at, " ", color);
	return true;
}

static enum text_color reason_color(enum wait_reason r)
{
	switch (wait_info(r)->ink) {
	case 'y':
		return TEXT_YELLOW;
	case 'g':
		return TEXT_GREEN;
	case 'c':
		return TEXT_CYAN;
	case 'm':
		return TEXT_MAGENTA;
	default:
		return TEXT_DIM;
	}
}

static void bracket(
	struct strip *s, size_t from, size_t to, const char *const glyphs[3], enum text_color color)
{
	fill(s, from, to, glyphs[1], color);
	if (to > from) {
		put(s, from, glyphs[0], color);
		put(s, to, glyphs[2], color);
	}
}

static void paint_wait(struct strip *s, const struct span *sp, size_t from, size_t to)
{
	static const char *const normal[] = {"\xe2\x94\x9c", "\xe2\x94\x80", "\xe2\x94\xa4"};
	static const char *const stuck[] = {"\xe2\x95\x9e", "\xe2\x95\x90", "\xe2\x95\xa1"};
	enum text_color color = sp->stuck ? TEXT_RED : reason_color(sp->reason);
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (sp->stuck)
		buf_adds(&b, "STUCK: ");
	timeline_add_short(&b, s->tl, sp);
	bracket(s, from, to, sp->stuck ? stuck : normal, color);
	if (!label(s, from, to, b.data, color))
		(void)label(s, from, to, sp->stuck ? "STUCK" : timeline_verb(sp->reason), color);
}

static void paint_span(struct strip *s, const struct span *sp)
{
	static const char *const zombie[] = {"\xe2\x94\x84", "\xe2\x94\x84", "\xe2\x94\x84"};
	size_t from = timeline_column(s->tl, sp->from), to = timeline_column(s->tl, sp->to);
	_cleanup_buf_ struct buf b = BUF_INIT;

	/* What ends where the next begins leaves that column to it. */
	if (to > from && sp->to < s->tl->until && !sp->endless)
		to--;
	timeline_add_short(&b, s->tl, sp);
	switch (sp->kind) {
	case SPAN_WAIT:
		paint_wait(s, sp, from, to);
		break;
	case SPAN_WAITS:
		fill(s, from, to, "\xe2\x96\x92", TEXT_BLUE);
		break;
	case SPAN_ZOMBIE:
		bracket(s, from, to, zombie, TEXT_MAGENTA);
		(void)label(s, from, to, b.data, TEXT_MAGENTA);
		break;
	case SPAN_ALIVE:
		fill(s, from, to, "\xe2\x96\x93", TEXT_BLUE);
		(void)label(s, from, to, b.data, TEXT_DIM);
		break;
	case SPAN_RAN:
		fill(s, from, to, "\xe2\x96\x88", TEXT_BLUE);
		break;
	case SPAN_HOLD:
	case SPAN_HOLDS:
		fill(s, from, to, "\xe2\x96\x94", TEXT_YELLOW);
		(void)label(s, from, to, b.data, TEXT_YELLOW);
		break;
	}
}

static void print_strip(struct text_line *l, const struct strip *s)
{
	for (size_t i = 0; i < s->n;) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		enum text_color color = s->cells[i].color;

		for (; i < s->n && s->cells[i].color == color; i++)
			if (!s->cells[i].is_second)
				buf_adds(&b, s->cells[i].glyph[0] ? s->cells[i].glyph : " ");
		text_add(l, color, b.data);
	}
}

static void clear(struct strip *s)
{
	for (size_t i = 0; i < s->n; i++)
		s->cells[i] = (struct cell){.color = TEXT_PLAIN};
}

static void print_name(struct text_line *line, const struct timeline *tl, const struct lane *l)
{
	const struct proc_row *p = &tl->t->procs[l->proc];
	const struct thread_row *th = l->thread == NONE ? NULL : &tl->t->threads[l->thread];
	bool stuck = th ? th->stuck != STUCK_NOT : p->stuck != STUCK_NOT;
	_cleanup_free_ char *name = NULL, *id = NULL;

	if (l->is_fold) {
		name = text_fit(tl->tree->nodes[l->fold_node].words, TIMELINE_TEXT_MARGIN - 2);
		text_add(line, TEXT_DIM, name);
		return;
	}
	name = text_fit(l->is_first ? p->name : trace_thread_name(tl->t, l->thread),
		NAME_WIDTH - 2 * !l->is_first);
	id = xasprintf("%lld", (long long)(l->is_first ? p->pid : th->tid));
	text_pad(line, l->is_first ? 0 : 2);
	text_add(line, stuck ? TEXT_RED : l->is_first ? TEXT_BOLD : TEXT_PLAIN, name);
	text_right(line, PID_END, TEXT_DIM, id);
}

static void print_lane(struct buf *out, struct strip *s, size_t lane, size_t width, bool color)
{
	const struct timeline *tl = s->tl;
	const struct lane *l = &tl->lanes[lane];
	struct text_line line = text_begin(out, width, color);

	clear(s);
	if (!l->is_fold && l->to >= tl->since && l->from <= tl->until)
		fill(s, timeline_column(tl, l->from), timeline_column(tl, l->to),
			tl->has_sched ? "\xe2\x96\x91" : "\xe2\x96\x88", TEXT_BLUE);
	for (size_t i = 0; i < l->n; i++)
		if (l->spans[i].kind != SPAN_HOLD && l->spans[i].kind != SPAN_HOLDS)
			paint_span(s, &l->spans[i]);
	for (size_t i = 0; i < tl->n_marks; i++)
		if (tl->marks[i].lane == lane && tl->marks[i].kind == MARK_SIGNAL)
			put(s, timeline_column(tl, tl->marks[i].ts), "\xe2\x96\xbc", TEXT_MAGENTA);
	for (size_t i = 0; i < tl->n_arrows; i++)
		if (tl->arrows[i].to == lane && tl->arrows[i].kind == ARROW_SIGNAL)
			put(s, timeline_column(tl, tl->arrows[i].t_to), "\xe2\x96\xbc",
				TEXT_MAGENTA);
	print_name(&line, tl, l);
	text_pad(&line, TIMELINE_TEXT_MARGIN);
	print_strip(&line, s);
	text_end(&line);
	if (!l->levels)
		return;
	clear(s);
	for (size_t i = 0; i < l->n; i++)
		if (l->spans[i].kind == SPAN_HOLD || l->spans[i].kind == SPAN_HOLDS)
			paint_span(s, &l->spans[i]);
	text_pad(&line, TIMELINE_TEXT_MARGIN);
	print_strip(&line, s);
	text_end(&line);
}

static void print_axis(struct buf *out, const struct timeline *tl, size_t width, bool color)
{
	int64_t step = ticks_step(tl->since, tl->until, (unsigned)(tl->columns / TICK_COLUMNS) + 2);
	struct text_line line = text_begin(out, width, color);

	for (int64_t ts = ticks_first(tl->since, step); ts <= tl->until; ts += step) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		if (TIMELINE_TEXT_MARGIN + timeline_column(tl, ts) < line.col)
			continue;
		text_pad(&line, TIMELINE_TEXT_MARGIN + timeline_column(tl, ts));
		buf_adds(&b, "\xe2\x94\x82");
		ticks_label(&b, ts, step);
		if (line.col + text_width(b.data) > width)
			break;
		text_add(&line, TEXT_DIM, b.data);
	}
	text_end(&line);
}

static bool has_folds(const struct timeline *tl)
{
	for (size_t i = 0; i < tl->n_lanes; i++)
		if (tl->lanes[i].is_fold)
			return true;
	return false;
}

/* A mark and what it means; where a line is full they begin the next one. */
static void add_meaning(
	struct text_line *line, enum text_color color, const char *mark, const char *words)
{
	if (line->col && line->col + 4 + text_width(mark) + text_width(words) > line->width)
		text_end(line);
	if (line->col)
		text_add(line, TEXT_DIM, "   ");
	text_add(line, color, mark);
	text_addf(line, TEXT_DIM, " %s", words);
}

static void print_legend(struct buf *out, const struct timeline *tl, size_t width, bool color)
{
	struct text_line line = text_begin(out, width, color);
	_cleanup_buf_ struct buf b = BUF_INIT;

	text_end(&line);
	add_meaning(&line, TEXT_BLUE, "\xe2\x96\x88", "runs");
	if (tl->has_sched)
		add_meaning(&line, TEXT_BLUE, "\xe2\x96\x91", "ready");
	add_meaning(&line, TEXT_DIM, "\xe2\x94\x9c\xe2\x94\x80\xe2\x94\xa4", "waits");
	add_meaning(&line, TEXT_BLUE, "\xe2\x96\x92", "many short waits");
	add_meaning(&line, TEXT_YELLOW, "\xe2\x96\x94", "holds a lock");
	add_meaning(&line, TEXT_MAGENTA, "\xe2\x94\x84", "zombie");
	add_meaning(&line, TEXT_MAGENTA, "\xe2\x96\xbc", "signal");
	add_meaning(&line, TEXT_RED, "\xe2\x95\x9e\xe2\x95\x90\xe2\x95\xa1", "stuck");
	if (has_folds(tl))
		add_meaning(&line, TEXT_DIM, "\xe2\x96\x93", "some of a fold live");
	text_end(&line);
	timeline_add_folded(&b, tl);
	if (b.len) {
		text_words(&line, TEXT_DIM, b.data);
		text_end(&line);
	}
}

void timeline_text(struct buf *out, const struct timeline *tl, size_t width, bool color)
{
	struct strip s = {.tl = tl, .n = tl->columns};
	struct text_line line = text_begin(out, width, color);
	_cleanup_buf_ struct buf b = BUF_INIT;

	s.cells = xcalloc(s.n + 1, sizeof *s.cells);
	text_add(&line, TEXT_BOLD, tl->t->title);
	text_end(&line);
	trace_add_subtitle(&b, tl->t);
	text_words(&line, TEXT_DIM, b.data);
	text_end(&line);
	text_end(&line);
	print_axis(out, tl, width, color);
	for (size_t i = 0; i < tl->n_lanes; i++)
		print_lane(out, &s, i, width, color);
	print_legend(out, tl, width, color);
	free(s.cells);
}
