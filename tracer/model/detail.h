/* detail.h - which events get rows, and of which processes (run --events, --follow, --ignore). */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_MODEL_DETAIL_H
#define TRACER_MODEL_DETAIL_H

struct buf;

/* DETAIL(NAME, word, rows): a kind of event that can be left out, its word, and what its rows are. */
#define DETAIL_LIST                                                                                \
	DETAIL(LOCKS, "locks", "holds of locks and calls of the thread library")                   \
	DETAIL(WAITS, "waits", "waits")                                                            \
	DETAIL(PIPES, "pipes", "reads and writes")                                                 \
	DETAIL(SIGNALS, "signals", "signals")                                                      \
	DETAIL(SAMPLES, "samples", "samples of running threads")                                   \
	DETAIL(MPI, "mpi", "calls of MPI")

enum detail_number {
#define DETAIL(NAME, word, rows) DETAIL_##NAME##_NUMBER,
	DETAIL_LIST
#undef DETAIL
		DETAIL_KINDS
};

enum detail {
#define DETAIL(NAME, word, rows) DETAIL_##NAME = 1 << DETAIL_##NAME##_NUMBER,
	DETAIL_LIST
#undef DETAIL
		DETAIL_ALL = (1 << DETAIL_KINDS) - 1
};

enum { DETAIL_NAMES = 16 };

/* Lists of names end with NULL and belong to somebody else; empty ones choose nothing. */
struct detail_choice {
	unsigned left_out; /* bits of enum detail */
	const char *follow[DETAIL_NAMES + 1], *ignore[DETAIL_NAMES + 1];
};

/* The words, by number; NULL at the end. */
extern const char *const detail_words[];

/* Adds what a recording leaves out by such a choice, one sentence a line. */
void detail_words_of(const struct detail_choice *c, struct buf *lines);

#endif
