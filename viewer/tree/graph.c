/* graph.c - draw the tree with Graphviz. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "viewer/draw/graph.h"
#include "viewer/load/load.h"
#include "viewer/draw/style.h"
#include "viewer/tree/tree.h"

enum { COMMAND_MAX = 56, NAME_MAX_SHOWN = 32, EXECS_SHOWN = 6 };

/* A box is an HTML-like table with one cell a line. */
static void line_begin(struct buf *m, const char *font)
{
	buf_addf(m, "<TR><TD ALIGN=\"LEFT\"><FONT %s>", font);
}

static void line_end(struct buf *m)
{
	buf_adds(m, "</FONT></TD></TR>");
}

static void add_line(struct buf *m, const char *font, const char *text)
{
	line_begin(m, font);
	graph_markup(m, text);
	line_end(m);
}

static void table_begin(struct buf *m)
{
	buf_adds(m, "<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"1\">");
}

static void add_heading(struct buf *m, const char *name, const char *what, int64_t id)
{
	_cleanup_free_ char *fit = text_fit(*name ? name : "(no name)", NAME_MAX_SHOWN);

	line_begin(m, "POINT-SIZE=\"12\"");
	buf_adds(m, "<B>");
	graph_markup(m, fit);
	buf_addf(m, "</B>  <FONT COLOR=\"" STYLE_GREY "\" POINT-SIZE=\"10\">%s %lld</FONT>", what,
		(long long)id);
	line_end(m);
}

/* Directories of a long command's program go first. */
static const char *shorter(const char *command)
{
	size_t word = strcspn(command, " "), from = 0;

	if (text_width(command) <= COMMAND_MAX || *command == '\'')
		return command;
	for (size_t i = 0; i < word; i++)
		if (command[i] == '/')
			from = i + 1;
	return from < word ? command + from : command;
}

static void add_exec(struct buf *m, const struct exec_row *e, bool first)
{
	_cleanup_free_ char *fit =
		text_fit(shorter(*e->command ? e->command : e->path), COMMAND_MAX);

	line_begin(m, "POINT-SIZE=\"10\" FACE=\"monospace\"");
	buf_adds(m, first ? "" : "\xe2\x86\xb3 "); /* the arrow: then it became */
	graph_markup(m, fit);
	line_end(m);
}

/* The programs that the process ran, in order; execs that failed are only counted. */
static void add_execs(struct buf *m, const struct trace *t, const struct proc_row *p)
{
	const struct exec_row *e = p->n_execs ? t->execs + p->first_exec : NULL;
	size_t ok = 0, failed = 0, shown = 0;
	bool born_with_it = p->parent != NONE && p->creator != NONE, folds;

	for (size_t i = 0; i < p->n_execs; i++)
		e[i].error ? failed++ : ok++;
	folds = ok > EXECS_SHOWN + 1; /* the line takes the room of one */
	for (size_t i = 0; i < p->n_execs; i++) {
		if (e[i].error)
			continue;
		shown++;
		if (folds && shown > EXECS_SHOWN / 2 && shown <= ok - EXECS_SHOWN / 2)
			continue;
		add_exec(m, &e[i], shown == 1 && !born_with_it);
		if (folds && shown == EXECS_SHOWN / 2) {
			_cleanup_free_ char *more = xasprintf(
				"\xe2\x80\xa6 %zu more programs", ok - EXECS_SHOWN / 2 * 2);

			add_line(m, "POINT-SIZE=\"9\" COLOR=\"" STYLE_GREY "\"", more);
		}
	}
	if (failed && !ok) {
		_cleanup_free_ char *words = xasprintf("exec of %s failed: %s",
			e[p->n_execs - 1].path, strerror(e[p->n_execs - 1].error));
		_cleanup_free_ char *fit = text_fit(words, COMMAND_MAX);

		add_line(m, "POINT-SIZE=\"10\" COLOR=\"" STYLE_ORANGE "\"", fit);
	}
}

static void add_proc_status(struct buf *m, const struct trace *t, const struct proc_row *p)
{
	bool good = p->end_kind == LIFE_EXIT && p->exit_code == 0;
	bool bad = p->end_kind == LIFE_SIGNAL || (p->end_kind == LIFE_EXIT && p->exit_code != 0);
	_cleanup_buf_ struct buf b = BUF_INIT;
	_cleanup_free_ char *font = NULL;

	/* A tick, a cross, an arrow for what still runs. */
	buf_adds(&b, good                   ? "\xe2\x9c\x93 "
		     : bad                  ? "\xe2\x9c\x97 "
		     : p->end == TIME_NEVER ? "\xe2\x96\xb6 "
					    : "");
	trace_add_status(&b, p);
	buf_adds(&b, p->end == TIME_NEVER ? " since " : " after ");
	buf_add_duration(&b, trace_end(t, p->end) - p->start);
	/* In one colour: what stands behind another one would begin where Graphviz's font, not the browser's, ends. */
	font = xasprintf("POINT-SIZE=\"10\" COLOR=\"%s\"", good  ? STYLE_GREEN
							   : bad ? STYLE_RED
								 : STYLE_BLUE);
	add_line(m, font, b.data);
}

static void add_zombie(struct buf *b, const struct proc_row *p)
{
	int64_t ns = p->zombie_to - p->end;

	if (!p->never_reaped && ns < ZOMBIE_SHOWN_NS)
		return;
	buf_adds(b, "\xe2\x98\xa0 zombie for ");
	buf_add_duration(b, ns);
	buf_adds(b, p->never_reaped ? ", never reaped" : "");
}

/* Marks in words, so that none depends on colour: orphan, zombie, stuck. */
static void add_marks(struct buf *m, const struct proc_row *p)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (p->stuck != STUCK_NOT)
		add_line(m, "POINT-SIZE=\"10\" COLOR=\"" STYLE_RED "\"",
			p->stuck == STUCK_CERTAIN ? "\xe2\x9c\x96 deadlocked"
						  : "\xe2\x9c\x96 stuck");
	if (p->orphan)
		add_line(m, "POINT-SIZE=\"10\" COLOR=\"" STYLE_ORANGE "\"",
			"\xe2\x97\x87 orphan: its parent ended first");
	add_zombie(&b, p);
	if (b.len)
		add_line(m, "POINT-SIZE=\"10\" COLOR=\"" STYLE_PURPLE "\"", b.data);
}

/* The line style says it once more: dashed for an orphan, dotted for a zombie, thick for an end by signal or a deadlock. */
static void style_proc(struct graph_item *it, const struct proc_row *p)
{
	bool zombie = p->never_reaped || p->zombie_to - p->end >= ZOMBIE_SHOWN_NS;
	bool failed = p->end_kind == LIFE_EXIT && p->exit_code != 0;

	graph_setf(it, "class", "proc%s%s%s%s%s%s", p->orphan ? " orphan" : "",
		zombie ? " zombie" : "", p->end == TIME_NEVER ? " running" : "",
		failed ? " failed" : "", p->end_kind == LIFE_SIGNAL ? " killed" : "",
		p->stuck == STUCK_CERTAIN ? " deadlock"
		: p->stuck                ? " stuck"
					  : "");
	graph_setf(it, "style", "filled,rounded%s",
		p->orphan ? ",dashed"
		: zombie  ? ",dotted"
			  : "");
	if (p->stuck != STUCK_NOT || p->end_kind == LIFE_SIGNAL) {
		graph_set(it, "color", STYLE_RED);
		graph_set(it, "penwidth", "2");
	} else if (p->orphan || failed) {
		graph_set(it, "color", STYLE_ORANGE);
	} else if (zombie) {
		graph_set(it, "color", STYLE_PURPLE);
		graph_set(it, "penwidth", "1.5");
	}
}

static void tooltip_time(struct buf *b, const char *word, int64_t ns)
{
	buf_addf(b, "\n%s ", word);
	buf_add_duration(b, ns);
}

static void proc_tooltip(struct graph_item *it, const struct trace *t, const struct proc_row *p)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_addf(&b, "%s, pid %lld", p->name, (long long)p->pid);
	if (*p->command)
		buf_addf(&b, "\n%s", p->command);
	if (*p->exe)
		buf_addf(&b, "\nprogram %s", p->exe);
	if (p->parent != NONE)
		buf_addf(&b, "\nchild of %s, pid %lld%s%s", t->procs[p->parent].name,
			(long long)t->procs[p->parent].pid, *p->created_by ? ", by " : "",
			p->created_by);
	tooltip_time(&b, "started at", p->start);
	if (p->end != TIME_NEVER)
		tooltip_time(&b, "ended at", p->end);
	buf_adds(&b, "\n");
	trace_add_status(&b, p);
	if (p->reaped != TIME_NEVER)
		tooltip_time(&b, "reaped at", p->reaped);
	if (p->reaped != TIME_NEVER && p->reaper != NONE)
		buf_addf(&b, " by %s", t->threads[p->reaper].name);
	if (p->n_threads > 1)
		buf_addf(&b, "\n%zu threads", p->n_threads);
	graph_tooltip(it, b.data);
}

static struct graph_item *draw_proc(struct graph *g, const struct trace *t, size_t row, bool link)
{
	const struct proc_row *p = &t->procs[row];
	_cleanup_free_ char *id = xasprintf("p%lld", (long long)p->id);
	_cleanup_buf_ struct buf m = BUF_INIT;
	struct graph_item *it = graph_node(g, id);

	table_begin(&m);
	add_heading(&m, p->name, "pid", p->pid);
	add_execs(&m, t, p);
	add_proc_status(&m, t, p);
	add_marks(&m, p);
	buf_adds(&m, "</TABLE>");
	graph_html(it, "label", m.data);
	style_proc(it, p);
	proc_tooltip(it, t, p);
	if (link)
		graph_setf(it, "URL", "#row-p%lld", (long long)p->id);
	return it;
}

static struct graph_item *draw_thread(struct graph *g, const struct trace *t, size_t row, bool link)
{
	const struct thread_row *th = &t->threads[row];
	_cleanup_free_ char *id = xasprintf("t%lld", (long long)th->id);
	_cleanup_buf_ struct buf m = BUF_INIT, b = BUF_INIT;
	struct graph_item *it = graph_node(g, id);
	const char *name = trace_thread_name(t, row);

	table_begin(&m);
	add_heading(&m, name, "thread", th->tid);
	buf_adds(
		&b, th->end == TIME_NEVER ? "\xe2\x96\xb6 still running  since " : "ended  after ");
	buf_add_duration(&b, trace_end(t, th->end) - th->start);
	add_line(&m, "POINT-SIZE=\"10\" COLOR=\"" STYLE_GREY "\"", b.data);
	if (th->stuck != STUCK_NOT)
		add_line(&m, "POINT-SIZE=\"10\" COLOR=\"" STYLE_RED "\"",
			th->stuck == STUCK_CERTAIN ? "\xe2\x9c\x96 deadlocked"
						   : "\xe2\x9c\x96 stuck");
	buf_adds(&m, "</TABLE>");
	graph_html(it, "label", m.data);
	graph_setf(it, "class", "thread%s%s", th->end == TIME_NEVER ? " running" : "",
		th->stuck == STUCK_CERTAIN ? " deadlock"
		: th->stuck                ? " stuck"
					   : "");
	graph_set(it, "fillcolor", th->stuck != STUCK_NOT ? STYLE_PAPER : STYLE_THREAD);
	graph_set(it, "color", th->stuck != STUCK_NOT ? STYLE_RED : "#9cc3de");
	graph_set(it, "penwidth", th->stuck != STUCK_NOT ? "2" : "1");
	buf_reset(&b);
	buf_addf(&b, "thread %s, tid %lld, of %s, pid %lld", name, (long long)th->tid,
		t->procs[th->proc].name, (long long)t->procs[th->proc].pid);
	if (*th->entry)
		buf_addf(&b, "\nstarted in %s()", th->entry);
	tooltip_time(&b, "started at", th->start);
	if (th->end != TIME_NEVER)
		tooltip_time(&b, "ended at", th->end);
	graph_tooltip(it, b.data);
	if (link)
		graph_setf(it, "URL", "#row-t%lld", (long long)th->id);
	return it;
}

static struct graph_item *draw_fold(struct graph *g, const struct tree_node *n, size_t number)
{
	_cleanup_free_ char *id = xasprintf("fold%zu", number);
	_cleanup_free_ char *words = xasprintf("\xe2\x8b\xae %s", n->words);
	struct graph_item *it = graph_node(g, id);

	graph_text(it, "label", words);
	graph_set(it, "class", "fold");
	graph_set(it, "style", "rounded");
	graph_set(it, "fontsize", "10");
	graph_set(it, "fontcolor", n->stuck ? STYLE_RED : STYLE_GREY);
	graph_set(it, "color", n->stuck ? STYLE_RED : STYLE_FAINT);
	graph_set(it, "peripheries", "2");
	graph_tooltip(it, n->words);
	return it;
}

static void draw_title(struct graph *g, const struct trace *t, const struct tree *tree)
{
	_cleanup_buf_ struct buf m = BUF_INIT, b = BUF_INIT;

	table_begin(&m);
	line_begin(&m, "POINT-SIZE=\"16\"");
	buf_adds(&m, "<B>");
	graph_markup(&m, t->title);
	buf_adds(&m, "</B>");
	line_end(&m);
	trace_add_subtitle(&b, t);
	add_line(&m, "POINT-SIZE=\"10\" COLOR=\"" STYLE_GREY "\"", b.data);
	buf_reset(&b);
	tree_add_folded(&b, tree);
	if (b.len)
		add_line(&m, "POINT-SIZE=\"10\" COLOR=\"" STYLE_GREY "\"", b.data);
	add_line(&m, "POINT-SIZE=\"4\"", " ");
	buf_adds(&m, "</TABLE>");
	graph_html(graph_self(g), "label", m.data);
}

static void set_defaults(struct graph *g)
{
	static const char *const node[][2] = {{"shape", "box"}, {"style", "filled,rounded"},
		{"fillcolor", STYLE_BOX}, {"color", STYLE_LINE}, {"fontname", STYLE_FONT},
		{"fontcolor", STYLE_INK}, {"fontsize", "11"}, {"margin", "0.11,0.06"},
		{"height", "0.2"}, {"label", ""}};
	static const char *const edge[][2] = {
		{"color", STYLE_LINE}, {"arrowsize", "0.6"}, {"headport", "w"}, {"tailport", "e"}};
	static const char *const self[][2] = {{"rankdir", "LR"}, {"ranksep", "1"},
		{"nodesep", "0.12"}, {"labelloc", "t"}, {"labeljust", "l"}, {"pad", "0.25"},
		{"bgcolor", STYLE_PAPER}, {"fontname", STYLE_FONT}, {"fontcolor", STYLE_INK},
		{"charset", "UTF-8"}, {"id", "tree"}, {"tooltip", "processes and threads"}};

	for (size_t i = 0; i < ARRAY_SIZE(node); i++)
		graph_node_default(g, node[i][0], node[i][1]);
	for (size_t i = 0; i < ARRAY_SIZE(edge); i++)
		graph_edge_default(g, edge[i][0], edge[i][1]);
	for (size_t i = 0; i < ARRAY_SIZE(self); i++)
		graph_set(graph_self(g), self[i][0], self[i][1]);
}

static void draw_edge(struct graph *g, struct graph_item *from, struct graph_item *to,
	const struct tree_node *n, size_t number)
{
	static const char *const classes[] = {"fork", "create", "more"};
	static const char *const words[] = {"created the process", "created the thread", "more"};
	_cleanup_free_ char *id = xasprintf("e%zu", number);
	struct graph_item *e = graph_edge(g, from, to, id);

	graph_set(e, "class", classes[n->kind]);
	graph_set(e, "tooltip", words[n->kind]);
	if (n->kind != TREE_PROC)
		graph_set(e, "style", n->kind == TREE_THREAD ? "dashed" : "dotted");
}

struct graph *tree_graph(const struct trace *t, const struct tree *tree, bool link)
{
	struct graph *g = graph_new("tree");
	struct graph_item **items = xcalloc(tree->n + 1, sizeof *items);

	set_defaults(g);
	draw_title(g, t, tree);
	for (size_t i = 0; i < tree->n; i++) {
		const struct tree_node *n = &tree->nodes[i];

		items[i] = n->kind == TREE_PROC     ? draw_proc(g, t, n->row, link)
			   : n->kind == TREE_THREAD ? draw_thread(g, t, n->row, link)
						    : draw_fold(g, n, i);
		if (n->parent != NONE)
			draw_edge(g, items[n->parent], items[i], n, i);
	}
	free(items);
	return g;
}
