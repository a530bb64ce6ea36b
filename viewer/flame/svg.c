/* svg.c - a flame graph as SVG. */
/* SPDX-License-Identifier: MIT */
/*
 * Each frame is as wide as what was waited in it and in what it called, and lies upon the frame that called it.
 * Without scripts the picture is whole; flame.js makes it zoom.
 */
#include "viewer/flame/flame.h"

#include <math.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/embed.h"
#include "base/hash.h"
#include "viewer/flame/private.h"

EMBED("flame_js", EMBED_FILE("viewer/flame/flame.js"));
EMBED("flame_css", EMBED_FILE("viewer/flame/flame.css"));
extern const char flame_js[], flame_css[];

enum {
	WIDTH = 1200,
	MARGIN = 10,
	ROW = 18,
	TOP = 58, /* title and buttons */
	BOTTOM = 30,
	LETTER = 7 /* pixels that a letter takes, about */
};

/* Narrower frames are left out, with what lies upon them. */
static const double least_width = 0.4;

struct drawing {
	struct buf *out;
	double per_ns; /* pixels */
	int64_t total_ns;
	unsigned height; /* of the picture */
};

static unsigned depth_of(const struct flame_node *node, double per_ns)
{
	unsigned deepest = 0;

	for (size_t i = 0; i < node->n; i++) {
		const struct flame_node *child = node->children[i];
		unsigned depth =
			(double)child->ns * per_ns < least_width ? 0 : depth_of(child, per_ns);

		if (depth > deepest)
			deepest = depth;
	}
	return deepest + 1;
}

/* A warm colour for a frame, the same for the same name; what is waited for has its own, as in the other pictures. */
static void add_colour(struct buf *out, const struct flame_node *node)
{
	uint64_t h = hash_bytes(node->name, strlen(node->name));

	if (node->colour)
		buf_adds(out, node->colour);
	else
		buf_addf(out, "rgb(%u,%u,%u)", 225 + (unsigned)(h % 30),
			150 + (unsigned)(h >> 8 & 0xff) * 70 / 255,
			70 + (unsigned)(h >> 16 & 0xff) * 50 / 255);
}

/* As much of a text as fits, whole characters. */
static void add_fitting(struct buf *out, const char *text, double width)
{
	size_t most = width > 3 * LETTER ? (size_t)(width / LETTER) - 1 : 0, len = strlen(text);

	if (len > most) {
		len = most > 2 ? most - 2 : 0;
		while (len && (text[len] & 0xc0) == 0x80)
			len--;
	}
	buf_add_html(out, text, len);
	if (len && text[len])
		buf_adds(out, "..");
}

static void draw(struct drawing *d, const struct flame_node *node, double x, unsigned depth)
{
	double width = (double)node->ns * d->per_ns;
	double y = d->height - BOTTOM - (depth + 1.0) * ROW;

	if (width < least_width)
		return;
	buf_adds(d->out, "<g class=\"f\" data-n=\"");
	buf_add_html(d->out, node->name, strlen(node->name));
	buf_adds(d->out, "\"><title>");
	buf_add_html(d->out, node->name, strlen(node->name));
	buf_adds(d->out, ": ");
	buf_add_duration(d->out, node->ns);
	buf_addf(d->out,
		" (%.1f %%)</title><rect x=\"%.2f\" y=\"%.0f\" width=\"%.2f\" height=\"%d\" fill=\"",
		d->total_ns ? 100.0 * (double)node->ns / (double)d->total_ns : 0.0, x, y, width,
		ROW - 1);
	add_colour(d->out, node);
	buf_addf(d->out, "\"/><text x=\"%.2f\" y=\"%.0f\">", x + 3, y + 13);
	add_fitting(d->out, node->name, width);
	buf_adds(d->out, "</text></g>\n");
	for (size_t i = 0; i < node->n; i++) {
		draw(d, node->children[i], x, depth + 1);
		x += (double)node->children[i]->ns * d->per_ns;
	}
}

void flame_svg(const struct flame *f, const char *title, struct buf *out)
{
	struct drawing d = {.out = out, .total_ns = f->root.ns};

	d.per_ns = f->root.ns ? (WIDTH - 2.0 * MARGIN) / (double)f->root.ns : 0;
	d.height = TOP + depth_of(&f->root, d.per_ns) * ROW + BOTTOM;
	buf_addf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" viewBox=\"0 0 %d %u\">\n"
		"<style>%s</style>\n<rect class=\"back\" width=\"100%%\" height=\"100%%\"/>\n"
		"<text class=\"head\" x=\"%d\" y=\"24\">Waiting by stack: ",
		WIDTH, d.height, WIDTH, d.height, flame_css, MARGIN);
	buf_add_html(out, title, strlen(title));
	buf_addf(out,
		"</text>\n<text id=\"all\" class=\"button\" x=\"%d\" y=\"44\"></text>"
		"<text id=\"search\" class=\"button\" x=\"%d\" y=\"44\"></text>\n",
		MARGIN, WIDTH - MARGIN - 60);
	if (f->root.ns)
		draw(&d, &f->root, MARGIN, 0);
	else
		buf_addf(out, "<text x=\"%d\" y=\"%u\">nobody waited</text>\n", MARGIN,
			d.height - BOTTOM);
	buf_addf(out, "<text id=\"told\" x=\"%d\" y=\"%u\"></text>\n", MARGIN, d.height - 10);
	buf_addf(out, "<script><![CDATA[\n%s]]></script>\n</svg>\n", flame_js);
}
