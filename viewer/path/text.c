/* text.c - the critical path for a terminal. */
/* SPDX-License-Identifier: MIT */
/*
 *	make -j2
 *	711 ms from start to end, decided by 9 steps through 4 threads
 *
 *	where the time went
 *	   84%    600 ms  sleep           sleeps                 2 steps
 *
 *	the path, in order
 *	    17.2 ms   3.86 ms  make (21534)    runs
 *	    21.1 ms    883 us  sh (21537)      runs; forked by make (21534)
 */
#include "viewer/path/path.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "viewer/draw/text.h"
#include "viewer/load/load.h"

enum { SUMS_SHOWN = 8, STEPS_SHOWN = 40, TIME_WIDTH = 9, WHO_MOST = 34 };
enum {
	SUM_WHO = 5 + TIME_WIDTH + 3,
	STEP_WHO = 2 * TIME_WIDTH + 3
}; /* columns at which names begin */

static void add_time(struct text_line *l, int64_t ns, size_t col)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_add_duration(&b, ns);
	text_right(l, col + 1, TEXT_PLAIN, b.data);
}

static enum text_color color_of(enum path_kind kind)
{
	return kind == PATH_RUNS ? TEXT_BLUE : kind == PATH_WAITS ? TEXT_YELLOW : TEXT_DIM;
}

/* Adds what somebody does beside the column of names, or below them where that is too narrow. */
static void add_beside(
	struct text_line *l, size_t at, size_t who, enum text_color color, const char *what)
{
	if (at + who + 2 + text_width(what) <= l->width) {
		text_pad(l, at + who + 2);
		text_add(l, color, what);
		return;
	}
	text_below(l, color, what, at + 2);
}

static void print_sums(struct buf *out, const struct path *p, size_t width, bool color, bool all)
{
	size_t n = all || p->n_sums < SUMS_SHOWN ? p->n_sums : SUMS_SHOWN, who = 0;
	struct text_line l = text_begin(out, width, color);

	for (size_t i = 0; i < n; i++)
		who = text_width(p->sums[i].who) > who ? text_width(p->sums[i].who) : who;
	who = who > WHO_MOST ? WHO_MOST : who;
	text_add(&l, TEXT_BOLD, "where the time went");
	text_end(&l);
	for (size_t i = 0; i < n; i++) {
		const struct path_sum *s = &p->sums[i];
		_cleanup_free_ char *name = text_fit(s->who, who), *times = NULL;

		text_addf(&l, TEXT_PLAIN, "%4.0f%%",
			100.0 * (double)s->ns / (double)(p->to - p->from));
		add_time(&l, s->ns, 5 + TIME_WIDTH + 1);
		text_pad(&l, SUM_WHO);
		text_fold(&l, TEXT_BOLD, "", name, SUM_WHO);
		if (s->steps > 1)
			times = xasprintf("%zu times", s->steps);
		add_beside(&l, SUM_WHO, who, color_of(s->kind), s->what);
		if (times)
			text_fold(&l, TEXT_DIM, ", ", times, SUM_WHO + 2);
		text_end(&l);
	}
	if (p->n_sums > n) {
		text_addf(&l, TEXT_DIM, "      and %zu more (--all)", p->n_sums - n);
		text_end(&l);
	}
	text_end(&l);
}

static void print_step(struct text_line *l, const struct path *p, size_t i, size_t who)
{
	const struct path_step *s = &p->steps[i];
	_cleanup_buf_ struct buf name = BUF_INIT, what = BUF_INIT, link = BUF_INIT;
	_cleanup_free_ char *fit = NULL;

	path_add_who(&name, p, s);
	path_add_what(&what, p, s);
	path_add_link(&link, p, i);
	fit = text_fit(name.data, who);
	add_time(l, s->from, TIME_WIDTH);
	add_time(l, s->to - s->from, 2 * TIME_WIDTH + 1);
	text_pad(l, STEP_WHO);
	text_fold(l, TEXT_BOLD, "", fit, STEP_WHO);
	add_beside(l, STEP_WHO, who, color_of(s->kind), what.data);
	if (link.len)
		text_fold(l, TEXT_DIM, "; ", link.data, STEP_WHO + 2);
	text_end(l);
}

/* Steps shorter than that are left out, so that about so many remain: the longest ones are kept in order while all are looked at. */
static int64_t shortest_shown(const struct path *p, bool all)
{
	int64_t longest[STEPS_SHOWN] = {0};

	if (all || p->n <= STEPS_SHOWN)
		return 0;
	for (size_t i = 0; i < p->n; i++) {
		int64_t ns = p->steps[i].to - p->steps[i].from;
		size_t at = STEPS_SHOWN - 1;

		if (ns <= longest[at])
			continue;
		for (; at > 0 && longest[at - 1] < ns; at--)
			longest[at] = longest[at - 1];
		longest[at] = ns;
	}
	return longest[STEPS_SHOWN - 1];
}

static void print_left_out(struct text_line *l, size_t n, int64_t ns)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (!n)
		return;
	buf_add_duration(&b, ns);
	text_pad(l, TIME_WIDTH + 1);
	text_right(l, 2 * TIME_WIDTH + 2, TEXT_DIM, b.data);
	text_pad(l, STEP_WHO);
	text_addf(l, TEXT_DIM, "%zu shorter step%s", n, n == 1 ? "" : "s");
	text_end(l);
}

static size_t who_width(const struct path *p, int64_t least)
{
	size_t most = 0, seen = 0;

	for (size_t i = 0; i < p->n; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		if (p->steps[i].to - p->steps[i].from < least ||
			(least && seen++ > 4 * STEPS_SHOWN))
			continue;
		path_add_who(&b, p, &p->steps[i]);
		most = text_width(b.data) > most ? text_width(b.data) : most;
	}
	return most > WHO_MOST ? WHO_MOST : most;
}

static void print_steps(struct buf *out, const struct path *p, size_t width, bool color, bool all)
{
	int64_t least = shortest_shown(p, all), hidden_ns = 0;
	size_t hidden = 0, who = who_width(p, least), shown = 0;
	struct text_line l = text_begin(out, width, color);

	text_add(&l, TEXT_BOLD,
		least ? "the longest steps of the path, in order" : "the path, in order");
	if (least)
		text_fold(&l, TEXT_DIM, " ", "(all of them: --all)", 2);
	text_end(&l);
	text_right(&l, TIME_WIDTH + 1, TEXT_DIM, "at");
	text_right(&l, 2 * TIME_WIDTH + 2, TEXT_DIM, "for");
	text_end(&l);
	for (size_t i = 0; i < p->n; i++) {
		int64_t ns = p->steps[i].to - p->steps[i].from;

		/* Of many of exactly the least length, only as many as are shown. */
		if (ns < least || (least && ns == least && shown >= STEPS_SHOWN)) {
			hidden++;
			hidden_ns += ns;
			continue;
		}
		print_left_out(&l, hidden, hidden_ns);
		print_step(&l, p, i, who);
		hidden = 0;
		hidden_ns = 0;
		shown++;
	}
	print_left_out(&l, hidden, hidden_ns);
}

void path_text(struct buf *out, const struct path *p, size_t width, bool color, bool all)
{
	struct text_line l = text_begin(out, width, color);
	_cleanup_buf_ struct buf b = BUF_INIT;

	text_fold(&l, TEXT_BOLD, "", p->t->title, 0);
	text_end(&l);
	if (!p->n) {
		text_add(&l, TEXT_DIM, "nothing ran");
		text_end(&l);
		return;
	}
	buf_add_duration(&b, p->to - p->from);
	buf_addf(&b, " from start to end, decided by %zu step%s through %zu thread%s", p->n,
		p->n == 1 ? "" : "s", p->n_threads, p->n_threads == 1 ? "" : "s");
	text_words(&l, TEXT_PLAIN, b.data);
	text_end(&l);
	text_end(&l);
	print_sums(out, p, width, color, all);
	print_steps(out, p, width, color, all);
}
