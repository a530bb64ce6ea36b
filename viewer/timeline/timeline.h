/* timeline.h - a lane for each thread over time: what it did, waited for and held. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: columns.c (columns of time, spans), load.c and arrows.c (what the lanes show), timeline.c
 * (lanes laid out), words.c (what a span says); the picture: draw_looks.c, draw_lane.c, draw_arrows.c, draw_marks.c,
 * draw_path.c, draw_legend.c, draw.c (all of it); text.c (for a terminal).
 */
#ifndef VIEWER_TIMELINE_TIMELINE_H
#define VIEWER_TIMELINE_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "viewer/load/resource.h"

struct buf;
struct graph;
struct path;
struct sqlite3;
struct trace;
struct tree;

/*
 * The time from since to until is divided into columns (pixels of a picture,
 * characters of a text). What is shorter than a column is folded: its times
 * are added up per column, and neighbouring columns become one span that says
 * how many intervals it stands for.
 */
struct timeline_options {
	int64_t since,
		until; /* since = -TIME_LIMIT: from the first process on; until = TIME_NEVER: to the end */
	const char *process; /* only processes of this pid or name; NULL: all */
	size_t columns;
	size_t max_merge;  /* so many neighbouring columns at most become one span; 0: any number */
	size_t max_lanes;  /* 0: any number; else siblings that are alike are folded */
	size_t max_arrows; /* more are thinned out; 0: as many as a picture bears */
	const struct path
		*path;  /* to be drawn too; borrowed, as long as the timeline; NULL: none */
	bool only_path; /* only the lanes that it goes through */
};

enum span_kind { SPAN_WAIT, SPAN_WAITS, SPAN_HOLD, SPAN_HOLDS, SPAN_ZOMBIE, SPAN_ALIVE, SPAN_RAN };

/* What a lane shows beside running or being ready. RAN is known only with --sched. WAITS and HOLDS stand for many short ones, ALIVE for the processes of a folded lane. */
struct span {
	enum span_kind kind;
	int64_t from, to;
	enum wait_reason reason; /* WAIT; WAITS: of the longest */
	int64_t id;              /* WAIT: of the row; else 0 */
	int64_t lock_id, pipe_id;
	size_t target_proc, target_thread; /* NONE: none */
	size_t count;                      /* folded intervals; ALIVE: how many at a time at most */
	int64_t sum;                       /* their time */
	unsigned level;                    /* holds that overlap are drawn on different levels */
	bool endless;                      /* has not ended */
	bool shared;                       /* hold of mode 's' */
	bool stuck;                        /* WAIT: part of a deadlock or the like */
};

/* Columns in which short intervals are added up. */
struct bin {
	int64_t sum, longest;
	int64_t lock_id;
	unsigned count;
	enum wait_reason reason; /* of the longest */
};

struct lane {
	size_t proc;   /* in trace.procs */
	size_t thread; /* in trace.threads; NONE: a process without thread rows, or a fold */
	bool is_first; /* first lane of its process */
	bool is_fold;
	size_t fold_node; /* in timeline.tree, if it is a fold */
	int64_t from, to; /* life, not cut to the range */
	struct span *spans;
	size_t n, cap;
	struct bin *waits, *holds, *ran; /* while loading: of n_bins columns from first_bin on */
	size_t first_bin, n_bins;
	unsigned levels; /* of holds */
};

enum arrow_kind {
	ARROW_FORK,
	ARROW_CREATE,
	ARROW_REAP,
	ARROW_JOIN,
	ARROW_DATA,
	ARROW_SIGNAL,
	ARROW_LOCK,
	ARROW_KINDS
};

/* Something that one thread did to another; from == NONE: it came from outside. */
struct arrow {
	enum arrow_kind kind;
	size_t from, to; /* lanes */
	int64_t t_from, t_to;
	size_t count;  /* arrows that were folded into this one, itself included */
	int64_t bytes; /* DATA */
	int64_t row;   /* SIGNAL: id of the row; LOCK: of the wait; DATA: of the read */
	int signo;
};

/* A point in the life of a lane. */
enum mark_kind { MARK_EXEC, MARK_EXEC_FAILED, MARK_SIGNAL, MARK_KINDS };
struct mark {
	enum mark_kind kind;
	size_t lane;
	int64_t ts;
	size_t exec; /* in trace.execs */
	int signo;
	size_t count;
};

/* When events were lost; from there to there at least some. */
struct timeline_gap {
	int64_t from, to, count;
};

struct timeline {
	const struct trace *t; /* borrowed */
	const struct path *path;
	int64_t since, until;
	size_t columns, max_merge, max_arrows;
	struct tree *tree;
	struct resources res;
	struct lane *lanes;
	size_t n_lanes;
	size_t *lane_of; /* thread -> lane or NONE */
	struct arrow *arrows;
	size_t n_arrows;
	struct mark *marks;
	size_t n_marks;
	struct timeline_gap *gaps; /* none closer to the next one than a column is wide */
	size_t n_gaps, cap_gaps;
	size_t folded_waits, folded_holds, folded_arrows;
	struct hash stacks; /* of waits, by their ids: a text, owned */
	bool has_sched;     /* it is known when threads on CPU */
	bool coarse_holds;  /* holds come from the table lane, not from lock_hold */
};

/* Returns the timeline; NULL with a text that the caller frees in *ret_why. The caller frees it with timeline_free, which accepts NULL. */
struct timeline *timeline_new(const struct trace *t, struct sqlite3 *db,
	const struct timeline_options *opt, char **ret_why);
void timeline_free(struct timeline *tl);

/* Returns the column of a time, 0 to columns - 1. */
size_t timeline_column(const struct timeline *tl, int64_t ns);

/* Adds what a span shows: "waits for the lock print_mutex". */
void timeline_add_span(struct buf *b, const struct timeline *tl, const struct span *s);

/* Returns what a thread does that waits for a reason, in a word or two: "read". */
const char *timeline_verb(enum wait_reason r);

/* Adds the same as timeline_add_span in few characters: "lock print_mutex". */
void timeline_add_short(struct buf *b, const struct timeline *tl, const struct span *s);

/* Adds what was folded and what is missing, one sentence without a full stop; nothing if there is nothing. */
void timeline_add_folded(struct buf *b, const struct timeline *tl);

/* Returns the picture, width points wide, for graph_render with "nop2"; the caller frees it. link: as for tree_graph. */
struct graph *timeline_graph(const struct timeline *tl, double width, bool link);

/* So many columns of the text form are for the names of lanes. */
enum { TIMELINE_TEXT_MARGIN = 32 };

/* Adds the timeline as text, a character for each column. */
void timeline_text(struct buf *out, const struct timeline *tl, size_t width, bool color);

#endif
