/* lines.c - rows as lines of a screen. */
/* SPDX-License-Identifier: MIT */
/*
 *	pptrace top: pptrace.db, 2 processes, 5 threads, 3 wait
 *	error: deadlock: thread 42 (left) and thread 43 (right) wait for each other
 *	    TID NAME               FOR WAITS
 *	     42 left            2.31 s waits for the mutex lock_b
 *	mutex lock_b: 1 thread waits, held by thread 43 (right) of abba[40]
 */
#include "cli/top/top.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

enum {
	NAME = 15,
	FACTS_SHARE = 3
}; /* a third of the lines is for facts, and what the threads leave */

struct lines {
	void (*each)(void *arg, enum top_kind kind, const char *line);
	void *arg;
	size_t width, left;
};

/* Returns the beginning of a text that fits into width columns, with an ellipsis if something is left out. The caller frees it. */
static char *cut(const char *text, size_t width)
{
	size_t at = 0, used = 0;

	if (text_width(text) <= width)
		return xstrdup(text);
	while (text[at]) {
		size_t columns, n = text_char(text + at, &columns);

		if (used + columns + 1 > width)
			break;
		used += columns;
		at += n;
	}
	return xasprintf("%.*s%s", (int)at, text, width ? "\xe2\x80\xa6" : "");
}

/* Returns how many bytes of a text are on a line of that width: up to a blank, where there is one. */
static size_t fits(const char *text, size_t width)
{
	size_t blank = 0, used = 0, n;

	for (size_t at = 0; text[at]; at += n) {
		size_t columns;

		n = text_char(text + at, &columns);
		if (used + columns > width)
			return blank ? blank : at ? at : n;
		used += columns;
		if (text[at] != ' ' && text[at + n] == ' ')
			blank = at + n;
	}
	return strlen(text);
}

static void add_line(struct lines *l, enum top_kind kind, const char *text)
{
	_cleanup_free_ char *line = cut(text, l->width);

	if (!l->left)
		return;
	l->left--;
	l->each(l->arg, kind, line);
}

enum { LINES_EACH = 3, INDENT = 2 }; /* a long text has so many lines at most */

/* Adds a text that may go on in further lines, the last one of which is cut; most: as many. Returns how many it takes; dry: adds none. */
static size_t add_text(struct lines *l, enum top_kind kind, const char *text, size_t most, bool dry)
{
	size_t n = 0;

	most = most < LINES_EACH ? most : LINES_EACH;
	while (*text && n < most) {
		size_t indent = n ? INDENT : 0, width = l->width > indent ? l->width - indent : 1;
		size_t len = n + 1 < most ? fits(text, width) : strlen(text);
		_cleanup_free_ char *line = xasprintf("%*s%.*s", (int)indent, "", (int)len, text);

		if (!dry)
			add_line(l, kind, line);
		n++;
		text += len;
		text += *text == ' ';
	}
	return n;
}

/* ---- Rows ---- */

static int by_pid(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->tid > y->tid) - (x->tid < y->tid);
}

static int by_name(const void *a, const void *b)
{
	int order = strcmp(((const struct top_row *)a)->name, ((const struct top_row *)b)->name);

	return order ? order : by_pid(a, b);
}

/* Threads that have waited longest come first, those that run last. */
static int by_wait(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	if (x->since_ns != y->since_ns)
		return x->since_ns > y->since_ns ? -1 : 1;
	return by_pid(a, b);
}

/* Sorts, and moves the rows that the filter wants to the front. Returns how many these are. */
static size_t arrange(struct top_look *look, const struct top_view *view)
{
	static int (*const orders[])(const void *, const void *) = {
		[TOP_BY_WAIT] = by_wait, [TOP_BY_PID] = by_pid, [TOP_BY_NAME] = by_name};
	size_t n = 0;

	if (look->n)
		qsort(look->rows, look->n, sizeof *look->rows, orders[view->order]);
	for (size_t i = 0; i < look->n; i++) {
		struct top_row row = look->rows[i];
		char pid[24];

		(void)snprintf(pid, sizeof pid, "%lld", (long long)row.pid);
		if (*view->filter && !strstr(row.name, view->filter) &&
			!strstr(row.what, view->filter) && !strstr(pid, view->filter))
			continue;
		memmove(look->rows + n + 1, look->rows + n, (i - n) * sizeof row);
		look->rows[n++] = row;
	}
	return n;
}

static void add_row(struct lines *l, const struct top_row *r, bool selected)
{
	_cleanup_buf_ struct buf line = BUF_INIT, since = BUF_INIT;
	_cleanup_free_ char *name = text_fit(r->name, NAME), *what = NULL;
	size_t width = text_width(name);

	if (r->since_ns >= 0)
		buf_add_duration(&since, r->since_ns);
	buf_addf(&line, "%8lld %s%*s", (long long)r->tid, name,
		(int)(width < NAME ? NAME - width : 0), "");
	buf_addf(&line, "%*s%s ",
		(int)(text_width(since.data) < 8 ? 8 - text_width(since.data) : 0), "", since.data);
	/* The end says which lock, pipe or process it is: what has no room is left out before it. */
	width = text_width(line.data);
	what = text_fit(r->what, l->width > width ? l->width - width : 0);
	buf_adds(&line, what);
	add_line(l,
		selected           ? TOP_SELECTED
		: r->since_ns >= 0 ? TOP_WAITING
				   : TOP_PLAIN,
		line.data);
}

/* All that is known of one thread. Returns how many lines it takes; dry: adds none. */
static size_t add_details(struct lines *l, const struct top_row *r, bool dry)
{
	const char *text = r->details;
	size_t n = 1;

	if (!dry)
		add_row(l, r, true);
	while (*text) {
		_cleanup_free_ char *line = xstrndup(text, strcspn(text, "\n"));
		_cleanup_free_ char *indented = xasprintf("    %s", line);

		n += add_text(l, TOP_PLAIN, indented, l->left, dry);
		text += strlen(line) + (text[strlen(line)] == '\n');
	}
	return n;
}

/* Keeps the selected row on the screen. */
static void scroll(struct top_view *view, size_t n, size_t room)
{
	if (view->selected >= n)
		view->selected = n ? n - 1 : 0;
	if (view->selected < view->first)
		view->first = view->selected;
	if (room && view->selected >= view->first + room)
		view->first = view->selected - room + 1;
}

static void add_rows(
	struct lines *l, struct top_look *look, struct top_view *view, size_t n, size_t room)
{
	scroll(view, n, room);
	for (size_t i = view->first; i < n && i < view->first + room; i++)
		add_row(l, &look->rows[i], i == view->selected);
}

/* ---- The screen ---- */

static void add_title(struct lines *l, const struct top_look *look, const struct top_view *view,
	const char *title)
{
	_cleanup_buf_ struct buf line = BUF_INIT;
	size_t waiting = 0;

	for (size_t i = 0; i < look->n; i++)
		waiting += look->rows[i].since_ns >= 0;
	buf_addf(&line, "pptrace top: %zu process%s, %zu thread%s, %zu waiting", look->processes,
		look->processes == 1 ? "" : "es", look->n, look->n == 1 ? "" : "s", waiting);
	if (*view->filter)
		buf_addf(&line, ", with '%s'", view->filter);
	buf_addf(&line, "%s  %s", view->frozen ? " (frozen)" : "", title);
	add_line(l, TOP_TITLE, line.data);
}

/* Returns how many lines are for facts about locks and pipes: those that it is sure to have, and what the threads leave. */
static size_t room_for_facts(
	struct lines *l, const struct top_look *look, struct top_view *view, size_t n, size_t share)
{
	size_t wanted = n, left = l->left ? l->left - 1 : 0; /* the head */

	scroll(view, n, 0);
	if (view->has_details && n)
		wanted = add_details(l, &look->rows[view->selected], true);
	return left > wanted && left - wanted > share ? left - wanted : share;
}

void top_lines(struct top_look *look, struct top_view *view, const char *title, size_t width,
	size_t height, void (*each)(void *arg, enum top_kind kind, const char *line), void *arg)
{
	struct lines l = {each, arg, width, height};
	size_t n = arrange(look, view), share = height / FACTS_SHARE, others = 0, i;

	add_title(&l, look, view, title);
	for (i = 0; i < look->n_findings && share; i++)
		share -= add_text(&l, TOP_FINDING, look->facts[i], share, false);
	share = room_for_facts(&l, look, view, n, share);
	for (i = look->n_findings; i < look->n_facts && others < share; i++)
		others += add_text(&l, TOP_PLAIN, look->facts[i], share - others, true);
	add_line(&l, TOP_HEAD, "     TID NAME                FOR WHAT");
	if (view->has_details && n)
		(void)add_details(&l, &look->rows[view->selected], false);
	else
		add_rows(&l, look, view, n, l.left > others ? l.left - others : 0);
	for (i = look->n_findings; i < look->n_facts && others; i++)
		others -= add_text(&l, TOP_PLAIN, look->facts[i], others, false);
}
