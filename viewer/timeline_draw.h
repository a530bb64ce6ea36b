/* timeline_draw.h - the parts of the drawn timeline: lanes in one file, what is on them in another. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_TIMELINE_DRAW_H
#define VIEWER_TIMELINE_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "viewer/canvas.h"

struct timeline;

#define BAR 12.0 /* height of what a thread does */

struct draw {
	struct canvas c;
	const struct timeline *tl;
	bool link;
	double left, plot; /* of the time axis, in points */
	double *y;         /* top of each lane; one more for the end of the last */
	double *named_to;  /* of each lane: where the last small name above it ends */
	struct graph_item **life;
};

/* Returns where a time is, cut to the plot. */
double draw_x(const struct draw *d, int64_t ns);

/* Draws the spans of a lane; execs and signals; arrows; the legend of all that occurs, from y on. */
void draw_spans(struct draw *d, size_t lane);
void draw_marks(struct draw *d);
void draw_arrows(struct draw *d);
void draw_legend(struct draw *d, double y);

#endif
