/* text.c - draw the tree in a terminal. */
/* SPDX-License-Identifier: MIT */
/*
 * process                     pid   ended    lasted
 * fork-count                 4711   exit 0   1.2 ms   ./fork-count --delay 0.05
 * ├─ fork-count              4712   exit 0   520 ms   orphan
 * └─ fork-count              4713   SIGKILL  480 ms   orphan
 */
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "viewer/load/load.h"
#include "viewer/draw/text.h"
#include "viewer/tree/tree.h"

enum {
	TREE_MIN = 16,
	TREE_LEAST = 8,
	STATUS_LEAST = 6,
	GAP = 2,
	NAME_SHOWN = 28,
	PID_LEAST = 7,
	DURATION_LEAST = 8
};

/* Adds the lines that connect a node with its parent and siblings. */
static void add_branches(struct buf *b, const struct tree *tree, const struct tree_node *n)
{
	_cleanup_free_ const struct tree_node **up = xcalloc(n->depth + 1, sizeof *up);
	unsigned depth = 0;

	for (const struct tree_node *it = n; it->parent != NONE; it = &tree->nodes[it->parent])
		up[depth++] = it;
	while (depth-- > 1)
		buf_adds(b, up[depth]->is_last ? "   " : "\xe2\x94\x82  ");
	if (n->parent != NONE)
		buf_adds(b, n->is_last ? "\xe2\x94\x94\xe2\x94\x80 " : "\xe2\x94\x9c\xe2\x94\x80 ");
}

static const char *node_name(const struct trace *t, const struct tree_node *n)
{
	if (n->kind == TREE_PROC)
		return *t->procs[n->row].name ? t->procs[n->row].name : "(no name)";
	return *trace_thread_name(t, n->row) ? trace_thread_name(t, n->row) : "(thread)";
}

/* Returns the first column's text: branches and name. The caller frees it. */
static char *tree_column(const struct trace *t, const struct tree *tree, const struct tree_node *n)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	add_branches(&b, tree, n);
	if (n->kind == TREE_FOLD) {
		buf_addf(&b, "\xe2\x8b\xae %s", n->words);
	} else {
		_cleanup_free_ char *fit = text_fit(node_name(t, n), NAME_SHOWN);

		buf_addf(&b, "%s%s", n->kind == TREE_THREAD ? "\xe2\x96\xb9 " : "", fit);
	}
	return buf_steal(&b);
}

/* The columns before the last one. */
struct columns {
	size_t name;                        /* how wide it is */
	size_t pid, status, duration, rest; /* where each begins or, numbers, ends */
	size_t status_end;
};

/* Adds how long a process or thread lived. */
static void add_life(struct buf *b, const struct trace *t, const struct tree_node *n)
{
	bool is_proc = n->kind == TREE_PROC;
	int64_t start = is_proc ? t->procs[n->row].start : t->threads[n->row].start;
	int64_t end = is_proc ? t->procs[n->row].end : t->threads[n->row].end;

	buf_add_duration(b, trace_end(t, end) - start);
}

static int64_t number(const struct trace *t, const struct tree_node *n)
{
	return n->kind == TREE_PROC ? t->procs[n->row].pid : t->threads[n->row].tid;
}

/* A clock that jumped, or somebody who forged the file, makes long lives, and large numbers. */
static struct columns measure(const struct trace *t, const struct tree *tree, size_t width)
{
	size_t widest = TREE_MIN, pid = PID_LEAST, status = STATUS_LEAST;
	size_t duration = DURATION_LEAST, numbers;

	for (size_t i = 0; i < tree->n; i++) {
		const struct tree_node *n = &tree->nodes[i];
		_cleanup_free_ char *text = NULL, *id = NULL;
		_cleanup_buf_ struct buf b = BUF_INIT, life = BUF_INIT;

		if (n->kind == TREE_FOLD)
			continue;
		id = xasprintf("%lld", (long long)number(t, n));
		if (strlen(id) > pid)
			pid = strlen(id);
		text = tree_column(t, tree, n);
		if (text_width(text) > widest)
			widest = text_width(text);
		if (n->kind == TREE_PROC)
			trace_add_status(&b, &t->procs[n->row]);
		if (b.len > status)
			status = b.len;
		add_life(&life, t, n);
		if (text_width(life.data) > duration)
			duration = text_width(life.data);
	}
	if (widest > width / 2 && width > 2 * TREE_MIN)
		widest = width / 2;
	/* A number of which only the beginning is seen says something else: what narrows is the names, then how it ended. */
	numbers = 1 + pid + GAP + GAP + duration;
	if (widest + status + numbers > width)
		widest = width > TREE_LEAST + status + numbers ? width - status - numbers
							       : TREE_LEAST;
	if (widest + status + numbers > width)
		status = width > widest + STATUS_LEAST + numbers ? width - widest - numbers
								 : STATUS_LEAST;
	pid += widest + 1;
	return (struct columns){.name = widest,
		.pid = pid,
		.status = pid + GAP,
		.status_end = pid + GAP + status,
		.duration = pid + GAP + status + GAP + duration,
		.rest = pid + GAP + status + GAP + duration + GAP};
}

static bool is_zombie_shown(const struct proc_row *p)
{
	return p->never_reaped || p->zombie_to - p->end >= ZOMBIE_SHOWN_NS;
}

static void add_marks(struct text_line *l, const struct proc_row *p)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (p->stuck != STUCK_NOT)
		text_add(l, TEXT_RED, p->stuck == STUCK_CERTAIN ? "DEADLOCKED  " : "STUCK  ");
	if (p->orphan)
		text_add(l, TEXT_YELLOW, "orphan  ");
	if (!is_zombie_shown(p))
		return;
	buf_adds(&b, "zombie for ");
	buf_add_duration(&b, p->zombie_to - p->end);
	buf_adds(&b, p->never_reaped ? ", never reaped  " : "  ");
	text_add(l, TEXT_MAGENTA, b.data);
}

/* Adds how a process or thread ended, cut where there is no room for all of it. */
static void add_end(
	struct text_line *l, const struct columns *c, enum text_color color, const char *text)
{
	size_t width = l->width;

	text_pad(l, c->status);
	if (c->status_end < width)
		l->width = c->status_end;
	text_add(l, color, text);
	l->width = width;
}

/* Where the terminal is so narrow that there is no room for it, the last column is a line of its own. */
enum { REST_LEAST = 14 };

static void begin_rest(struct text_line *l, const struct columns *c)
{
	if (l->width < c->rest + REST_LEAST) {
		text_end(l);
		text_pad(l, c->pid > 4 ? 4 : c->pid);
	} else {
		text_pad(l, c->rest);
	}
}

/* Says whether add_programs adds anything. */
static bool has_programs(const struct trace *t, const struct proc_row *p)
{
	for (size_t i = p->first_exec; i < p->first_exec + p->n_execs; i++)
		if (!t->execs[i].error)
			return true;
	return p->parent == NONE && *p->command;
}

static void add_programs(struct text_line *l, const struct trace *t, const struct proc_row *p)
{
	size_t shown = 0;

	for (size_t i = p->first_exec; i < p->first_exec + p->n_execs; i++) {
		if (t->execs[i].error)
			continue;
		text_addf(l, TEXT_PLAIN, "%s%s", shown++ ? " \xe2\x86\x92 " : "",
			*t->execs[i].command ? t->execs[i].command : t->execs[i].path);
	}
	if (!shown && p->parent == NONE)
		text_add(l, TEXT_PLAIN, p->command);
}

static void proc_line(struct text_line *l, const struct trace *t, const struct tree_node *n,
	const struct columns *c)
{
	const struct proc_row *p = &t->procs[n->row];
	bool good = p->end_kind == LIFE_EXIT && p->exit_code == 0;
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_addf(&b, "%lld", (long long)p->pid);
	text_right(l, c->pid, TEXT_DIM, b.data);
	buf_reset(&b);
	trace_add_status(&b, p);
	add_end(l, c, good ? TEXT_GREEN : p->end == TIME_NEVER ? TEXT_CYAN : TEXT_RED, b.data);
	buf_reset(&b);
	add_life(&b, t, n);
	text_right(l, c->duration, TEXT_PLAIN, b.data);
	if (p->stuck == STUCK_NOT && !p->orphan && !is_zombie_shown(p) && !has_programs(t, p))
		return;
	begin_rest(l, c);
	add_marks(l, p);
	add_programs(l, t, p);
}

static void thread_line(struct text_line *l, const struct trace *t, const struct tree_node *n,
	const struct columns *c)
{
	const struct thread_row *th = &t->threads[n->row];
	_cleanup_buf_ struct buf b = BUF_INIT;
	bool has_other = *th->entry && strcmp(trace_thread_name(t, n->row), th->entry) != 0;

	buf_addf(&b, "%lld", (long long)th->tid);
	text_right(l, c->pid, TEXT_DIM, b.data);
	add_end(l, c, TEXT_DIM, th->end == TIME_NEVER ? "still running" : "ended");
	buf_reset(&b);
	add_life(&b, t, n);
	text_right(l, c->duration, TEXT_PLAIN, b.data);
	if (th->stuck != STUCK_NOT || has_other)
		begin_rest(l, c);
	if (th->stuck != STUCK_NOT)
		text_add(l, TEXT_RED, th->stuck == STUCK_CERTAIN ? "DEADLOCKED  " : "STUCK  ");
	if (has_other)
		text_addf(l, TEXT_DIM, "started in %s()", th->entry);
}

static void header(
	struct buf *out, const struct trace *t, const struct columns *c, size_t width, bool color)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct text_line l = text_begin(out, width, color);

	text_add(&l, TEXT_BOLD, t->title);
	text_end(&l);
	trace_add_subtitle(&b, t);
	text_words(&l, TEXT_DIM, b.data);
	text_end(&l);
	text_end(&l);
	text_add(&l, TEXT_DIM, "process");
	text_right(&l, c->pid, TEXT_DIM, "pid");
	add_end(&l, c, TEXT_DIM, "ended");
	text_right(&l, c->duration, TEXT_DIM, "lasted");
	text_end(&l);
}

void tree_text(
	struct buf *out, const struct trace *t, const struct tree *tree, size_t width, bool color)
{
	struct columns c = measure(t, tree, width);
	_cleanup_buf_ struct buf folded = BUF_INIT;

	header(out, t, &c, width, color);
	for (size_t i = 0; i < tree->n; i++) {
		const struct tree_node *n = &tree->nodes[i];
		_cleanup_free_ char *first = tree_column(t, tree, n);
		struct text_line l = text_begin(out, width, color);

		if (n->kind != TREE_FOLD)
			l.width = c.name;
		text_add(&l,
			n->kind != TREE_FOLD ? TEXT_PLAIN
			: n->stuck           ? TEXT_RED
					     : TEXT_DIM,
			first);
		l.width = width;
		if (n->kind == TREE_PROC)
			proc_line(&l, t, n, &c);
		else if (n->kind == TREE_THREAD)
			thread_line(&l, t, n, &c);
		text_end(&l);
	}
	tree_add_folded(&folded, tree);
	if (folded.len)
		buf_addf(out, "\n%s (--all shows them)\n", folded.data);
}
