/* canvas.h - boxes, texts and arrows at given places, as a Graphviz graph for the engine nop2. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_DRAW_CANVAS_H
#define VIEWER_DRAW_CANVAS_H

#include <stdbool.h>

struct graph;
struct graph_item;

/* Places are in points from the top left corner; y grows downwards. */
struct canvas {
	struct graph *g;
	unsigned long n; /* boxes so far, for ids */
};

/* Returns an empty canvas on a new graph of that name; texts are in STYLE_FONT. */
struct canvas canvas_new(const char *name);

/* Adds a box; id NULL: a number. The caller sets more attributes. */
struct graph_item *canvas_box(struct canvas *c, const char *id, const char *class, double x,
	double y, double w, double h);

/* Sets how a box is filled and lined; line NULL: not lined. */
void canvas_paint(struct graph_item *it, const char *fill, const char *line, double penwidth);

/* Adds a line of text whose left side is x and whose middle is y. */
struct graph_item *canvas_text(struct canvas *c, const char *class, double x, double y, double size,
	const char *color, const char *text);
struct graph_item *canvas_bold(struct canvas *c, const char *class, double x, double y, double size,
	const char *color, const char *text);

/* Returns how many average letters a text is as wide as: capitals and wide characters need more room. */
double canvas_letters(const char *text);

/* Returns about how wide a text is. */
double canvas_width(const char *text, double size);

/* Adds an arrow between two items from one place to another; steep ones are bent a little. */
struct graph_item *canvas_arrow(struct canvas *c, const char *class, struct graph_item *from,
	struct graph_item *to, double x1, double y1, double x2, double y2);

/* Adds a horizontal arrow from x1 to x2, for a legend. */
struct graph_item *canvas_line(
	struct canvas *c, const char *class, struct graph_item *at, double x1, double y, double x2);

/* Writes "#rrggbb" for a colour with part (0 to 1) of it and the rest of another. */
void canvas_mix(char out[8], const char *color, const char *other, double part);

#endif
