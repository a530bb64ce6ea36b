/* private.h - what the files that lay a timeline out and draw it share. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_TIMELINE_PRIVATE_H
#define VIEWER_TIMELINE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "viewer/draw/canvas.h"
#include "viewer/timeline/timeline.h"

/* The steps of timeline_new that read the database, each in its own file. They return NULL or what went wrong. */
char *timeline_load_waits(struct timeline *tl, struct sqlite3 *db);
void timeline_load_stacks(struct timeline *tl, struct sqlite3 *db);
char *timeline_load_holds(struct timeline *tl, struct sqlite3 *db);
char *timeline_load_sched(struct timeline *tl, struct sqlite3 *db);
char *timeline_load_gaps(struct timeline *tl, struct sqlite3 *db);
char *timeline_load_arrows(struct timeline *tl, struct sqlite3 *db);

/* Returns a new span of a lane, filled from the arguments. */
struct span *timeline_span(struct lane *l, enum span_kind kind, int64_t from, int64_t to);

/* Returns the bin of a lane for a column, the nearest in its life; bins are made on first use, for that life alone. */
struct bin *timeline_bin(
	const struct timeline *tl, struct lane *l, struct bin **bins, size_t column);

/* Says of each thread whether it, or one of its process, is on the path. The caller frees it. */
bool *timeline_path_lanes(const struct trace *t, const struct path *p);

/* ---- Drawing ---- */

#define PITCH 19.0      /* from the top of a lane to that of the next */
#define BAR 12.0        /* height of what a thread does */
#define HOLD_BAR 4.0    /* height of what it holds */
#define TEXT_SIZE 8.0   /* of words in bars and in the legend */
#define LEVEL_PITCH 6.0 /* between holds that overlap */

#define DRAW_GAP_FILL "#fff8e6" /* where events were lost */

/* The small names between two lanes: those above the lower one, and those below the upper one, where an arrow ends from below. */
struct name_row {
	struct name_place {
		double from, to;
	} * list;
	size_t n, cap;
};

struct draw {
	struct canvas c;
	const struct timeline *tl;
	bool link;
	double left, plot;      /* of the time axis, in points */
	double margin;          /* to the right of it */
	double *y;              /* top of each lane; one more for the end of the last */
	struct name_row *names; /* those above each lane; one more for those below the last */
	struct graph_item **life;
};

/* How each kind of arrow is drawn, and what it means. */
struct arrow_look {
	const char *class, *words, *color, *style;
};
extern const struct arrow_look arrow_looks[ARROW_KINDS];

/* Returns the colour of a lock's holds. */
const char *draw_lock_color(const struct timeline *tl, int64_t lock_id);

/* Returns where a time is, cut to the plot. */
double draw_x(const struct draw *d, int64_t ns);

/* Adds a small name in a row, that of the lane below it, unless it would run into another one there. */
void draw_small_name(struct draw *d, size_t row, const char *class, double x, double y,
	const char *color, const char *text);

/* Draws a mark whose middle is at x and y. */
struct graph_item *draw_mark(struct draw *d, enum mark_kind kind, double x, double y);

/* Adds what ended the process of a lane, if that is written at the end of the lane: says whether it is. */
bool draw_add_end(struct buf *b, const struct timeline *tl, const struct lane *l);

/* Draws a lane; execs and signals; arrows; the critical path; the legend of all that occurs, from y on. */
void draw_lane(struct draw *d, size_t lane);
void draw_marks(struct draw *d);
void draw_arrows(struct draw *d);
void draw_path(struct draw *d);
void draw_legend(struct draw *d, double y);

#endif
