/* svg.h - put Graphviz's SVG in order. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_DRAW_SVG_H
#define VIEWER_DRAW_SVG_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/*
 * Adds the SVG with its tooltips as <title> elements, which every viewer shows,
 * in place of attributes that few do; the names of nodes, which Graphviz uses as
 * titles, go. bare: without the XML declaration and comments, for a page.
 */
void svg_tidy(struct buf *out, const char *svg, size_t len, bool bare);

#endif
