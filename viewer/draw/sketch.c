/* sketch.c - a small picture of boxes that are related, for Graphviz or the terminal. */
/* SPDX-License-Identifier: MIT */
#include "viewer/draw/sketch.h"

#include <stdarg.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "viewer/draw/graph.h"
#include "viewer/draw/style.h"
#include "viewer/draw/text.h"

enum { NAME_SHOWN = 40, LINE_SHOWN = 64, NOTE_COLUMNS = 90 };

struct sketch *sketch_new(const char *name, const char *title)
{
	struct sketch *sk = xcalloc(1, sizeof *sk);

	sk->name = name;
	sk->title = xstrdup(title);
	return sk;
}

static void node_done(struct sketch_node *n)
{
	for (size_t k = 0; k < n->n_lines; k++)
		free(n->lines[k]);
	free(n->lines);
	free(n->id);
	free(n->name);
	free(n->detail);
	free(n->row);
	free(n->group);
}

void sketch_free(struct sketch *sk)
{
	if (!sk)
		return;
	for (size_t i = 0; i < sk->n_nodes; i++)
		node_done(&sk->nodes[i]);
	hash_done(&sk->by_id);
	for (size_t i = 0; i < sk->n_edges; i++)
		free(sk->edges[i].label);
	for (size_t i = 0; i < sk->n_notes; i++)
		free(sk->notes[i]);
	free(sk->nodes);
	free(sk->edges);
	free(sk->notes);
	free(sk->title);
	free(sk);
}

void sketch_note(struct sketch *sk, const char *text)
{
	ARRAY_GROW(sk->notes, sk->n_notes, sk->cap_notes);
	sk->notes[sk->n_notes++] = xstrdup(text);
}

static uint64_t id_key(const char *id)
{
	return hash_bytes(id, strlen(id));
}

size_t sketch_find(const struct sketch *sk, const char *id)
{
	uintptr_t at = (uintptr_t)hash_get(&sk->by_id, id_key(id));

	return at && !strcmp(sk->nodes[at - 1].id, id) ? at - 1 : SKETCH_NONE;
}

size_t sketch_node(struct sketch *sk, enum sketch_kind kind, const char *id, const char *name,
	const char *detail)
{
	ARRAY_GROW(sk->nodes, sk->n_nodes, sk->cap_nodes);
	sk->nodes[sk->n_nodes] = (struct sketch_node){.kind = kind,
		.id = xstrdup(id),
		.name = text_fit(*name ? name : "(no name)", NAME_SHOWN),
		.detail = xstrdup(detail)};
	(void)hash_set(&sk->by_id, id_key(id), (void *)(uintptr_t)++sk->n_nodes);
	return sk->n_nodes - 1;
}

void sketch_drop(struct sketch *sk, const bool *dropped)
{
	size_t *moved = xcalloc(sk->n_nodes + 1, sizeof *moved), n = 0, n_edges = 0;

	hash_done(&sk->by_id);
	sk->by_id = (struct hash){0};
	for (size_t i = 0; i < sk->n_nodes; i++) {
		moved[i] = dropped[i] ? SKETCH_NONE : n;
		if (dropped[i]) {
			node_done(&sk->nodes[i]);
			continue;
		}
		sk->nodes[n++] = sk->nodes[i];
		(void)hash_set(&sk->by_id, id_key(sk->nodes[n - 1].id), (void *)(uintptr_t)n);
	}
	sk->n_nodes = n;
	for (size_t i = 0; i < sk->n_edges; i++) {
		struct sketch_edge *e = &sk->edges[i];

		e->from = moved[e->from];
		e->to = moved[e->to];
		if (e->from == SKETCH_NONE || e->to == SKETCH_NONE)
			free(e->label);
		else
			sk->edges[n_edges++] = *e;
	}
	sk->n_edges = n_edges;
	free(moved);
}

void sketch_line(struct sketch *sk, size_t node, const char *fmt, ...)
{
	struct sketch_node *n = &sk->nodes[node];
	_cleanup_buf_ struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	ARRAY_GROW(n->lines, n->n_lines, n->cap_lines);
	n->lines[n->n_lines++] = text_fit(b.data, LINE_SHOWN);
}

struct sketch_edge *sketch_edge(
	struct sketch *sk, size_t from, size_t to, const char *class, const char *label)
{
	ARRAY_GROW(sk->edges, sk->n_edges, sk->cap_edges);
	sk->edges[sk->n_edges] = (struct sketch_edge){
		.from = from, .to = to, .class = class, .label = xstrdup(label)};
	return &sk->edges[sk->n_edges++];
}

static const struct {
	const char *class, *line, *ink, *sign;
} looks[] = {
	[MARK_NONE] = {"", STYLE_LINE, STYLE_INK, ""},
	[MARK_BAD] = {" deadlock", STYLE_RED, STYLE_RED, "\xe2\x9c\x96 "},
	[MARK_WARN] = {" warn", STYLE_ORANGE, STYLE_ORANGE, "\xe2\x97\x87 "},
	[MARK_FAINT] = {" faint", "#cbd5e1", STYLE_GREY, ""},
};

/* Longer texts are cut in the picture, and whole in what the pointer shows: no box is wider than a page. */
enum { TEXT_SHOWN = 96, DETAIL_SHOWN = 48 };

static void add_fit(struct buf *m, const char *text, size_t chars)
{
	_cleanup_free_ char *fit = text_fit(text, chars);

	graph_markup(m, fit);
}

static void add_line(struct buf *m, const char *font, const char *sign, const char *text)
{
	buf_addf(m, "<TR><TD ALIGN=\"LEFT\"><FONT %s>%s", font, sign);
	add_fit(m, text, TEXT_SHOWN);
	buf_adds(m, "</FONT></TD></TR>");
}

static void add_heading(struct buf *m, const struct sketch_node *n)
{
	buf_addf(m, "<TR><TD ALIGN=\"LEFT\"><FONT POINT-SIZE=\"12\" COLOR=\"%s\">%s<B>",
		looks[n->mark].ink, looks[n->mark].sign);
	graph_markup(m, n->name);
	buf_adds(m, "</B></FONT>");
	if (*n->detail) {
		buf_adds(m, "  <FONT POINT-SIZE=\"10\" COLOR=\"" STYLE_GREY "\">");
		add_fit(m, n->detail, DETAIL_SHOWN);
		buf_adds(m, "</FONT>");
	}
	buf_adds(m, "</TD></TR>");
}

static struct graph_item *draw_node(struct graph *g, const struct sketch_node *n, bool link)
{
	struct graph_item *it = graph_node(g, n->id);
	_cleanup_buf_ struct buf m = BUF_INIT, tip = BUF_INIT;
	bool resource = n->kind == SKETCH_RESOURCE;

	buf_adds(&m, "<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"1\">");
	add_heading(&m, n);
	for (size_t i = 0; i < n->n_lines; i++)
		add_line(&m, "POINT-SIZE=\"10\"", "", n->lines[i]);
	buf_adds(&m, "</TABLE>");
	graph_html(it, "label", m.data);
	graph_setf(it, "class", "%s%s", resource ? "resource" : "subject", looks[n->mark].class);
	graph_set(it, "color", looks[n->mark].line);
	graph_set(it, "fillcolor", resource ? "#fff8e6" : STYLE_BOX);
	/* A resource has corners, a subject is rounded. */
	graph_set(it, "style", resource ? "filled" : "filled,rounded");
	graph_set(it, "penwidth", n->mark == MARK_BAD ? "2" : "1");
	buf_addf(&tip, "%s %s", n->name, n->detail);
	for (size_t i = 0; i < n->n_lines; i++)
		buf_addf(&tip, "\n%s", n->lines[i]);
	graph_tooltip(it, tip.data);
	if (link && n->row)
		graph_setf(it, "URL", "#%s", n->row);
	return it;
}

/* A label beside a line that goes down begins a little to its right. */
static void set_label(struct graph_item *it, const char *label, bool down)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (const char *s = label; *s;) {
		size_t len = strcspn(s, "\n");
		_cleanup_free_ char *line = xstrndup(s, len), *fit = text_fit(line, TEXT_SHOWN);

		buf_addf(&b, "%s%s%s", down ? "  " : "", fit, s[len] ? "\n" : "");
		s += len + (s[len] != 0);
	}
	if (down)
		graph_text_left(it, "label", b.data);
	else
		graph_text(it, "label", b.data ? b.data : "");
}

static void draw_edge(
	struct graph *g, const struct sketch *sk, size_t i, struct graph_item *const *items)
{
	const struct sketch_edge *e = &sk->edges[i];
	_cleanup_free_ char *id = xasprintf("%s-e%zu", sk->name, i);
	struct graph_item *it = e->backwards ? graph_edge(g, items[e->to], items[e->from], id)
					     : graph_edge(g, items[e->from], items[e->to], id);

	graph_setf(it, "class", "%s%s", e->class, looks[e->mark].class);
	graph_set(it, "color", looks[e->mark].line);
	graph_set(it, "penwidth", e->mark == MARK_BAD ? "2" : "1");
	set_label(it, e->label, sk->down);
	graph_set(it, "fontcolor", e->mark == MARK_NONE ? STYLE_GREY : looks[e->mark].ink);
	graph_tooltip(it, *e->label ? e->label : e->class);
	if (e->mark == MARK_FAINT || e->mark == MARK_WARN)
		graph_set(it, "style", "dashed");
	if (e->backwards)
		graph_set(it, "dir", "back");
}

enum { ROW_LEAST = 4, ROW_MOST = 10 };

/* What of a sketch is connected. */
struct part {
	size_t top,
		bottom; /* a node that none leads to, if there is one, and one as far below it as there is */
	size_t depth; /* how many nodes are in a line from the one to the other */
	size_t first; /* of its nodes, as they were added */
};

struct parts {
	const struct sketch *sk;
	size_t *home; /* of each node: the first of those that it is connected with */
	size_t *below; /* of each node: how far below the top of its part it is, counted from 1; 0: not reached */
	struct part *list;
	size_t n;
};

static size_t home_of(size_t *home, size_t node)
{
	while (home[node] != node)
		node = home[node] = home[home[node]];
	return node;
}

void sketch_homes(const struct sketch *sk, size_t n, size_t *home)
{
	for (size_t i = 0; i < n; i++)
		home[i] = i;
	for (size_t i = 0; i < sk->n_edges; i++) {
		size_t x = sk->edges[i].from, y = sk->edges[i].to;

		if (x >= n || y >= n)
			continue;
		x = home_of(home, x);
		y = home_of(home, y);
		home[x > y ? x : y] = x < y ? x : y;
	}
	for (size_t i = 0; i < n; i++)
		home[i] = home[home[i]];
}

/* Walks down from the top of a part. */
static void measure_part(struct parts *ps, struct part *p)
{
	const struct sketch *sk = ps->sk;
	bool changed = true;

	ps->below[p->top] = p->depth = 1;
	p->bottom = p->top;
	for (size_t level = 1; changed; level++) {
		changed = false;
		for (size_t i = 0; i < sk->n_edges; i++) {
			const struct sketch_edge *e = &sk->edges[i];
			size_t from = e->backwards ? e->to : e->from,
			       to = e->backwards ? e->from : e->to;

			if (ps->below[from] != level || ps->below[to])
				continue;
			ps->below[to] = p->depth = level + 1;
			p->bottom = to;
			changed = true;
		}
	}
}

static void find_parts(struct parts *ps)
{
	const struct sketch *sk = ps->sk;
	_cleanup_free_ bool *led_to = xcalloc(sk->n_nodes + 1, sizeof *led_to);
	_cleanup_free_ size_t *part_of = xcalloc(sk->n_nodes + 1, sizeof *part_of);

	sketch_homes(sk, sk->n_nodes, ps->home);
	for (size_t i = 0; i < sk->n_edges; i++)
		led_to[sk->edges[i].backwards ? sk->edges[i].from : sk->edges[i].to] = true;
	for (size_t i = 0; i < sk->n_nodes; i++) {
		size_t h = ps->home[i];

		if (h == i) {
			part_of[h] = ps->n;
			ps->list[ps->n++] = (struct part){.top = i, .first = i};
		} else if (!led_to[i] && led_to[ps->list[part_of[h]].top]) {
			ps->list[part_of[h]].top = i;
		}
	}
	for (size_t i = 0; i < ps->n; i++)
		measure_part(ps, &ps->list[i]);
}

static int by_depth(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return x->first < y->first ? -1 : x->first > y->first;
}

/* Parts of one depth stand in rows: arrows that are not seen lead from row to row. */
static void stack_alike(struct graph *g, const struct sketch *sk, struct graph_item *const *items,
	const struct part *list, size_t n)
{
	size_t row = ROW_LEAST;

	while (row < ROW_MOST && 2 * row * row < n * list->depth)
		row++;
	for (size_t i = row; i < n; i++) {
		_cleanup_free_ char *id = xasprintf("%s-row%zu-%zu", sk->name, list->depth, i);
		struct graph_item *it =
			graph_edge(g, items[list[i - row].bottom], items[list[i].top], id);

		graph_set(it, "style", "invis");
		graph_set(it, "weight", "0");
	}
}

/*
 * What is not connected stands in rows, not in one line across the whole wall: each with its like, as below a part that is
 * deeper than others there would be nothing beside it.
 */
static void stack_parts(struct graph *g, const struct sketch *sk, struct graph_item *const *items)
{
	_cleanup_free_ size_t *home = xcalloc(sk->n_nodes + 1, sizeof *home);
	_cleanup_free_ size_t *below = xcalloc(sk->n_nodes + 1, sizeof *below);
	_cleanup_free_ struct part *list = xcalloc(sk->n_nodes + 1, sizeof *list);
	struct parts ps = {.sk = sk, .home = home, .below = below, .list = list};
	size_t n;

	find_parts(&ps);
	qsort(list, ps.n, sizeof *list, by_depth);
	for (size_t i = 0; i < ps.n; i += n) {
		for (n = 1; i + n < ps.n && list[i + n].depth == list[i].depth;)
			n++;
		stack_alike(g, sk, items, &list[i], n);
	}
}

/* Returns where a line that begins at s ends: at a space, if it would be too long. */
static const char *note_end(const char *s)
{
	const char *end = NULL, *at = s;

	for (size_t columns = 0, w; *at && (columns < NOTE_COLUMNS || !end); columns += w) {
		if (*at == ' ' && at > s)
			end = at;
		at += text_char(at, &w);
	}
	return *at ? end : at;
}

static void add_note(struct buf *m, const char *text)
{
	while (*text) {
		const char *end = note_end(text);
		_cleanup_free_ char *line = xstrndup(text, (size_t)(end - text));

		add_line(m, "POINT-SIZE=\"10\" COLOR=\"" STYLE_GREY "\"", "", line);
		text = end + (*end == ' ');
	}
}

static void draw_title(struct graph *g, const struct sketch *sk)
{
	_cleanup_buf_ struct buf m = BUF_INIT;

	buf_adds(&m, "<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"1\">"
		     "<TR><TD ALIGN=\"LEFT\"><FONT POINT-SIZE=\"16\"><B>");
	graph_markup(&m, sk->title);
	buf_adds(&m, "</B></FONT></TD></TR>");
	for (size_t i = 0; i < sk->n_notes; i++)
		add_note(&m, sk->notes[i]);
	add_line(&m, "POINT-SIZE=\"4\"", "", " ");
	buf_adds(&m, "</TABLE>");
	graph_html(graph_self(g), "label", m.data);
}

struct graph *sketch_graph(const struct sketch *sk, bool link)
{
	static const char *const self[][2] = {{"ranksep", "0.5"}, {"nodesep", "0.3"},
		{"labelloc", "t"}, {"labeljust", "l"}, {"pad", "0.25"}, {"bgcolor", STYLE_PAPER},
		{"fontname", STYLE_FONT}, {"fontcolor", STYLE_INK}, {"charset", "UTF-8"}};
	static const char *const node[][2] = {{"shape", "box"}, {"fontname", STYLE_FONT},
		{"fontcolor", STYLE_INK}, {"fontsize", "11"}, {"margin", "0.11,0.06"},
		{"height", "0.2"}, {"label", ""}};
	struct graph *g = graph_new(sk->name);
	struct graph_item **items = xcalloc(sk->n_nodes + 1, sizeof *items);

	for (size_t i = 0; i < ARRAY_SIZE(node); i++)
		graph_node_default(g, node[i][0], node[i][1]);
	graph_edge_default(g, "fontname", STYLE_FONT);
	graph_edge_default(g, "fontsize", "9");
	graph_edge_default(g, "arrowsize", "0.7");
	for (size_t i = 0; i < ARRAY_SIZE(self); i++)
		graph_set(graph_self(g), self[i][0], self[i][1]);
	graph_set(graph_self(g), "rankdir", sk->down ? "TB" : "LR");
	graph_set(graph_self(g), "id", sk->name);
	graph_set(graph_self(g), "tooltip", sk->name);
	draw_title(g, sk);
	for (size_t i = 0; i < sk->n_nodes; i++)
		items[i] = draw_node(g, &sk->nodes[i], link);
	for (size_t i = 0; i < sk->n_edges; i++)
		draw_edge(g, sk, i, items);
	if (sk->down)
		stack_parts(g, sk, items);
	free(items);
	return g;
}

static const enum text_color text_colors[] = {
	[MARK_NONE] = TEXT_PLAIN,
	[MARK_BAD] = TEXT_RED,
	[MARK_WARN] = TEXT_YELLOW,
	[MARK_FAINT] = TEXT_DIM,
};

static void print_node(
	struct text_line *l, const struct sketch_node *n, const char *sep, size_t indent)
{
	text_fold(l, n->mark == MARK_NONE ? TEXT_BOLD : text_colors[n->mark], sep, n->name, indent);
	if (*n->detail)
		text_fold(l, TEXT_DIM, "  ", n->detail, indent);
}

/* The first line of a label says what, the others are details. */
static void print_edge(struct text_line *l, const struct sketch_edge *e, size_t indent)
{
	const char *label = *e->label ? e->label : e->class;
	_cleanup_free_ char *what = xasprintf(
		"%s%.*s \xe2\x86\x92", looks[e->mark].sign, (int)strcspn(label, "\n"), label);

	text_fold(l, text_colors[e->mark], "", what, indent);
}

/* What no longer fits into the line stands below it. */
static void print_detail(struct text_line *l, const struct sketch_edge *e, size_t indent)
{
	const char *s = e->label + strcspn(e->label, "\n");

	for (const char *sep = "  "; *s; sep = ", ") {
		size_t len = strcspn(++s, "\n");
		_cleanup_free_ char *text = xstrndup(s, len);

		text_fold(l, TEXT_DIM, sep, text, indent);
		s += len;
	}
}

/* The edges that leave a node, each with those that leave the resource it leads to. */
static void print_edges(struct buf *out, const struct sketch *sk, size_t node, size_t indent,
	size_t width, bool color)
{
	for (size_t i = 0; i < sk->n_edges; i++) {
		const struct sketch_edge *e = &sk->edges[i];
		struct text_line l = text_begin(out, width, color);

		if (e->from != node)
			continue;
		text_pad(&l, indent);
		print_edge(&l, e, indent + 4);
		print_node(&l, &sk->nodes[e->to], " ", indent + 4);
		print_detail(&l, e, indent + 4);
		text_end(&l);
		if (sk->nodes[e->to].kind == SKETCH_RESOURCE &&
			sk->nodes[node].kind == SKETCH_SUBJECT)
			print_edges(out, sk, e->to, indent + 2, width, color);
	}
}

static bool has_edges(const struct sketch *sk, size_t node)
{
	for (size_t i = 0; i < sk->n_edges; i++)
		if (sk->edges[i].from == node)
			return true;
	return false;
}

void sketch_text(struct buf *out, const struct sketch *sk, size_t width, bool color)
{
	struct text_line l = text_begin(out, width, color);
	bool has_subjects = false;

	text_fold(&l, TEXT_BOLD, "", sk->title, 0);
	text_end(&l);
	for (size_t i = 0; i < sk->n_notes; i++) {
		text_words(&l, TEXT_DIM, sk->notes[i]);
		text_end(&l);
	}
	for (size_t i = 0; i < sk->n_nodes; i++)
		has_subjects = has_subjects || sk->nodes[i].kind == SKETCH_SUBJECT;
	for (size_t i = 0; i < sk->n_nodes; i++) {
		const struct sketch_node *n = &sk->nodes[i];

		/* Resources stand below the subjects that lead to them. */
		if (n->kind == SKETCH_RESOURCE && has_subjects)
			continue;
		if (!n->n_lines && !has_edges(sk, i))
			continue;
		text_end(&l);
		print_node(&l, n, "", 2);
		text_end(&l);
		for (size_t k = 0; k < n->n_lines; k++) {
			text_pad(&l, 2);
			text_fold(&l, TEXT_PLAIN, "", n->lines[k], 4);
			text_end(&l);
		}
		print_edges(out, sk, i, 2, width, color);
	}
}
