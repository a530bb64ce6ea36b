/* canvas.c - boxes, texts and arrows at given places, as a Graphviz graph for the engine nop2. */
/* SPDX-License-Identifier: MIT */
#include "viewer/draw/canvas.h"

#include <math.h>

#include "base/mem.h"
#include "base/text.h"
#include "viewer/draw/graph.h"
#include "viewer/draw/style.h"

enum { TEXT_SHOWN = 240 }; /* characters; a PNG has at most 32767 pixels in a row */

#define POINTS_PER_INCH 72.0
#define CHAR_WIDTH 0.62 /* of the font's size, for a wide font */
#define BYTE_WIDTH                                                                                 \
	0.8 /* the same for each byte of what is not ASCII, as Graphviz estimates it: up to 0.7 was seen */
#define LABEL_MARGINS                                                                              \
	16.0 /* points, both together: Graphviz leaves 0.11 inches on each side of a label */

struct canvas canvas_new(const char *name)
{
	static const char *const node[][2] = {{"shape", "box"}, {"fixedsize", "shape"},
		{"style", "filled"}, {"fontname", STYLE_FONT}, {"fontcolor", STYLE_INK},
		{"label", ""}, {"margin", "0"}, {"fontsize", "8"}};
	static const char *const self[][2] = {{"outputorder", "nodesfirst"}, {"pad", "0.2"},
		{"bgcolor", STYLE_PAPER}, {"charset", "UTF-8"}};
	struct canvas c = {.g = graph_new(name)};

	for (size_t i = 0; i < ARRAY_SIZE(node); i++)
		graph_node_default(c.g, node[i][0], node[i][1]);
	graph_edge_default(c.g, "arrowsize", "0.45");
	for (size_t i = 0; i < ARRAY_SIZE(self); i++)
		graph_set(graph_self(c.g), self[i][0], self[i][1]);
	graph_set(graph_self(c.g), "id", name);
	return c;
}

struct graph_item *canvas_box(
	struct canvas *c, const char *id, const char *class, double x, double y, double w, double h)
{
	_cleanup_free_ char *number = xasprintf("x%lu", c->n++);
	struct graph_item *it = graph_node(c->g, id ? id : number);

	graph_set(it, "class", class);
	graph_setf(it, "pos", "%.2f,%.2f", x + w / 2, -(y + h / 2));
	graph_setf(it, "width", "%.4f", w / POINTS_PER_INCH);
	graph_setf(it, "height", "%.4f", h / POINTS_PER_INCH);
	return it;
}

void canvas_paint(struct graph_item *it, const char *fill, const char *line, double penwidth)
{
	graph_set(it, "fillcolor", fill);
	graph_set(it, "color", line ? line : "transparent");
	if (line)
		graph_setf(it, "penwidth", "%.2f", penwidth);
}

double canvas_letters(const char *text)
{
	double n = (double)text_width(text);

	for (const char *c = text; *c; c++)
		n += strchr("WMmw@%", *c) ? 0.6 : *c >= 'A' && *c <= 'Z' ? 0.15 : 0;
	return n;
}

double canvas_width(const char *text, double size)
{
	return canvas_letters(text) * size * CHAR_WIDTH;
}

/*
 * Where Graphviz finds no fonts it takes each byte for a letter (estimate_textspan_size in common/textspan.c), and centres what it takes
 * for wider than its box: wide characters, of three or four bytes each, would begin to the left of where they should.
 */
static double room_of_wide(const char *text, double size)
{
	size_t letters = 0;

	for (const char *c = text; *c; c++)
		letters += (*c & 0xc0) != 0x80;
	return text_width(text) > letters ? (double)strlen(text) * size * BYTE_WIDTH + LABEL_MARGINS
					  : 0;
}

/* The text is aligned to the left of a box that is as wide as it may get. */
static struct graph_item *text_box(struct canvas *c, const char *class, double x, double y,
	double size, const char *color, const char *text)
{
	_cleanup_free_ char *fit = text_fit(text, TEXT_SHOWN);
	double h = size * 1.5, w = canvas_width(fit, size) + 2, room = room_of_wide(fit, size);
	struct graph_item *it = canvas_box(c, NULL, class, x, y - h / 2, w > room ? w : room, h);

	graph_set(it, "shape", "plaintext");
	graph_set(it, "style", "");
	graph_set(it, "fontcolor", color);
	graph_setf(it, "fontsize", "%.1f", size);
	graph_text_left(it, "label", fit);
	graph_tooltip(it, text);
	return it;
}

struct graph_item *canvas_text(struct canvas *c, const char *class, double x, double y, double size,
	const char *color, const char *text)
{
	return text_box(c, class, x, y, size, color, text);
}

struct graph_item *canvas_bold(struct canvas *c, const char *class, double x, double y, double size,
	const char *color, const char *text)
{
	struct graph_item *it = text_box(c, class, x, y, size, color, text);

	graph_set(it, "fontname", "Helvetica-Bold");
	return it;
}

struct graph_item *canvas_arrow(struct canvas *c, const char *class, struct graph_item *from,
	struct graph_item *to, double x1, double y1, double x2, double y2)
{
	_cleanup_free_ char *id = xasprintf("a%lu", c->n++);
	struct graph_item *it = graph_edge(c->g, from, to, id);
	double dx = x2 - x1, dy = y2 - y1, len = sqrt(dx * dx + dy * dy);
	double bend = fabs(dy) * 0.35, head = 4;
	/* The line comes in vertically; the head is the last part of it. */
	double sign = dy < 0 ? -1 : 1, yh = y2 - sign * head;

	if (len < head * 2)
		yh = y2 - dy / 2;
	graph_set(it, "class", class);
	graph_setf(it, "pos", "e,%.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f", x2, -y2, x1,
		-y1, x1, -(y1 + sign * bend), x2, -(yh - sign * bend), x2, -yh);
	return it;
}

struct graph_item *canvas_line(
	struct canvas *c, const char *class, struct graph_item *at, double x1, double y, double x2)
{
	_cleanup_free_ char *id = xasprintf("a%lu", c->n++);
	struct graph_item *it = graph_edge(c->g, at, at, id);

	graph_set(it, "class", class);
	graph_setf(it, "pos", "e,%.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f", x2, -y, x1, -y,
		x1 + 4, -y, x2 - 8, -y, x2 - 4, -y);
	return it;
}

static unsigned channel(const char *color, int i)
{
	char two[3] = {color[1 + 2 * i], color[2 + 2 * i], 0};

	return (unsigned)strtoul(two, NULL, 16);
}

void canvas_mix(char out[8], const char *color, const char *other, double part)
{
	unsigned rgb[3];

	for (int i = 0; i < 3; i++)
		rgb[i] =
			(unsigned)lround(part * channel(color, i) + (1 - part) * channel(other, i));
	(void)snprintf(out, 8, "#%02x%02x%02x", rgb[0] & 255, rgb[1] & 255, rgb[2] & 255);
}
