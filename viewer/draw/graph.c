/* graph.c - draw nodes and edges with Graphviz; knows nothing of processes. */
/* SPDX-License-Identifier: MIT */
#include "viewer/draw/graph.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "viewer/draw/cgraph.h"
#include "viewer/draw/place.h"

#include <errno.h>
#include <graphviz/gvc.h>
#include <math.h>
#include <stdarg.h>

struct graph {
	Agraph_t *root;
};

/* Graphviz reports through one global function; the last line of an error is kept here. */
static char last_error[256];

static int keep_error(char *text)
{
	size_t len = strcspn(text, "\n");

	/* Warnings (a label wider than its box) come the same way; only a failed call reads this. */
	if (len > 0)
		(void)snprintf(last_error, sizeof last_error, "%.*s", (int)len, text);
	return 0;
}

struct graph *graph_new(const char *name)
{
	struct graph *g = xcalloc(1, sizeof *g);
	char *own = xstrdup(name);

	(void)agseterrf(keep_error);
	(void)agseterr(AGERR);
	g->root = agopen(own, Agdirected, NULL);
	free(own);
	return g;
}

void graph_free(struct graph *g)
{
	if (!g)
		return;
	if (g->root)
		(void)agclose(g->root);
	free(g);
}

struct graph_item *graph_self(struct graph *g)
{
	return (struct graph_item *)g->root;
}

void graph_node_default(struct graph *g, const char *key, const char *value)
{
	cgraph_default(g->root, AGNODE, key, value);
}

void graph_edge_default(struct graph *g, const char *key, const char *value)
{
	cgraph_default(g->root, AGEDGE, key, value);
}

struct graph_item *graph_node(struct graph *g, const char *id)
{
	Agnode_t *n = agnode(g->root, cgraph_text(id), 1);

	cgraph_set(n, "id", id);
	return (struct graph_item *)n;
}

struct graph_item *graph_edge(
	struct graph *g, struct graph_item *from, struct graph_item *to, const char *id)
{
	Agedge_t *e = agedge(g->root, (Agnode_t *)from, (Agnode_t *)to, cgraph_text(id), 1);

	cgraph_set(e, "id", id);
	return (struct graph_item *)e;
}

void graph_set(struct graph_item *it, const char *key, const char *value)
{
	cgraph_set(it, key, value);
}

void graph_setf(struct graph_item *it, const char *key, const char *fmt, ...)
{
	char value[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(value, sizeof value, fmt, ap);
	va_end(ap);
	graph_set(it, key, value);
}

/*
 * dot reads no string of more than 16384 bytes, and a PNG has at most 32767
 * pixels in a row: texts are cut here, whatever the caller forgot. In characters.
 */
enum { LABEL_LINE_MAX = 240, TIP_LINE_MAX = 400, LINES_MAX = 16 };

/* Returns the first lines of a text, each cut; the caller frees it. */
static char *fit_lines(const char *text, size_t width)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t lines = 0;

	for (const char *s = text; *s && lines < LINES_MAX; lines++) {
		size_t len = strcspn(s, "\n");
		_cleanup_free_ char *line = xstrndup(s, len);
		_cleanup_free_ char *fit = text_fit(line, width);

		buf_adds(&b, fit);
		s += len;
		if (*s && ++s && lines + 1 < LINES_MAX)
			buf_addc(&b, '\n');
		else if (*s)
			buf_adds(&b, " \xe2\x80\xa6");
	}
	return buf_steal(&b);
}

/*
 * Attributes of type escString know backslash escapes (\N, \G, \l) and HTML
 * entities; both are switched off by doubling the one and writing the other
 * as an entity of its own.
 */
static void set_escaped(struct graph_item *it, const char *key, const char *text, const char *eol)
{
	_cleanup_free_ char *fit = fit_lines(text, LABEL_LINE_MAX);
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (const char *s = fit; *s; s++) {
		if (*s == '\\')
			buf_adds(&b, "\\\\");
		else if (*s == '&')
			buf_adds(&b, "&amp;");
		else if (*s == '\n')
			buf_adds(&b, eol);
		else
			buf_addc(&b, *s);
	}
	if (eol[1] == 'l' && *text)
		buf_adds(&b, eol);
	graph_set(it, key, b.data);
}

void graph_text(struct graph_item *it, const char *key, const char *text)
{
	set_escaped(it, key, text, "\\n");
}

void graph_text_left(struct graph_item *it, const char *key, const char *text)
{
	set_escaped(it, key, text, "\\l");
}

/*
 * Tooltips go through the escapes a number of times that differs between
 * versions of Graphviz, so a backslash is shown as the set minus sign.
 */
void graph_tooltip(struct graph_item *it, const char *text)
{
	_cleanup_free_ char *fit = fit_lines(text, TIP_LINE_MAX);
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (const char *s = fit; *s; s++) {
		if (*s == '\\')
			buf_adds(&b, "\xe2\x88\x96");
		else if (*s == '&')
			buf_adds(&b, "&amp;");
		else if (*s == '\n')
			buf_adds(&b, "\\n");
		else
			buf_addc(&b, *s);
	}
	graph_set(it, "tooltip", b.data);
}

void graph_html(struct graph_item *it, const char *key, const char *markup)
{
	Agraph_t *root = agroot(it);
	char *html = agstrdup_html(root, cgraph_text(markup));

	/* The string goes with the graph: what frees one takes other arguments in newer Graphviz. */
	cgraph_set(it, key, html);
}

void graph_markup(struct buf *b, const char *text)
{
	_cleanup_free_ char *fit = text_fit(text, LABEL_LINE_MAX);
	_cleanup_buf_ struct buf safe = BUF_INIT;

	buf_add_html(&safe, fit, strlen(fit));
	for (const char *s = safe.data; *s; s++) {
		if (*s == '\\')
			buf_addc(b, '\\');
		buf_addc(b, *s);
	}
}

static int fail(struct buf *why, const char *what)
{
	buf_addf(why, "Graphviz cannot %s", what);
	if (last_error[0]) {
		buf_adds(why, ": ");
		buf_add_printable(why, last_error, strlen(last_error));
	}
	return -EIO;
}

/* Sharp on today's screens; but what a picture costs to draw, compress and show goes with its pixels. */
#define PNG_DPI 144.0
#define PNG_PIXELS_MAX 20e6

/* After the layout, which has the size: a large picture gets fewer pixels to the inch. */
static void limit_pixels(Agraph_t *root)
{
	const char *bb = agget(root, cgraph_text("bb"));
	double left, bottom, right, top, area;

	if (!bb || sscanf(bb, "%lf,%lf,%lf,%lf", &left, &bottom, &right, &top) != 4)
		return;
	area = (right - left) / POINTS_PER_INCH * ((top - bottom) / POINTS_PER_INCH);
	GD_drawing(root)->dpi = PNG_DPI;
	if (area * PNG_DPI * PNG_DPI > PNG_PIXELS_MAX)
		GD_drawing(root)->dpi = sqrt(PNG_PIXELS_MAX / area);
}

static int render(GVC_t *gvc, struct graph *g, const char *engine, const char *format,
	struct buf *out, struct buf *why)
{
	char *data = NULL;
	/* An unsigned int in older Graphviz, a size_t in newer: both write the low bytes. */
	size_t len = 0;
	int rc;

	if (!strcmp(engine, "ring")) {
		rc = place_ring(gvc, g->root);
		if (rc == 0)
			rc = place_path(gvc, g->root);
		if (rc < 0)
			return fail(why, "measure the labels");
		engine = rc ? "nop2" : "dot";
	}
	if (!strcmp(engine, "tree")) {
		if (place_tree(gvc, g->root) < 0)
			return fail(why, "measure the labels");
		engine = "nop2";
	}
	if (gvLayout(gvc, g->root, engine) != 0)
		return fail(why, "lay out the picture");
	if (!strcmp(format, "png"))
		limit_pixels(g->root);
	rc = gvRenderData(gvc, g->root, format, &data, (void *)&len);
	if (rc == 0 && data && len > 0)
		buf_add(out, data, len);
	else
		rc = fail(why, "write that format");
	gvFreeRenderData(data);
	(void)gvFreeLayout(gvc, g->root);
	return rc;
}

static int source(struct graph *g, struct buf *out, struct buf *why)
{
	char *data = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&data, &len);
	int rc;

	if (!f)
		return fail(why, "write to memory");
	rc = agwrite(g->root, f);
	if (fclose(f) != 0 || rc != 0)
		rc = fail(why, "write the source");
	else
		buf_add(out, data, len);
	free(data);
	return rc;
}

int graph_render(
	struct graph *g, const char *engine, const char *format, struct buf *out, struct buf *why)
{
	/* One for all: Graphviz keeps pointers into a context in static places, and uses them after it was freed. */
	static GVC_t *gvc;

	last_error[0] = '\0';
	if (!strcmp(format, "dot"))
		return source(g, out, why);
	if (!gvc)
		gvc = gvContext();
	if (!gvc)
		return fail(why, "start");
	return render(gvc, g, engine, format, out, why);
}
