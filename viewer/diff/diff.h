/* diff.h - two recordings of one program: where they begin to differ. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: tables.c (what is compared, as temporary tables of each recording), diff.c (the comparison),
 * words.c (the differences as text and as JSON).
 */
#ifndef VIEWER_DIFF_DIFF_H
#define VIEWER_DIFF_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct sqlite3;

/* One step of a thread: a lock, a pipe, a signal, its end. what NULL: there is none any more. */
struct diff_step {
	int64_t ts_ns, site_id;
	char *what;
};

/* Where a thread that is in both begins to do something else. */
struct diff_thread {
	char *key;   /* how it came to be: "make > cc > as" */
	size_t same; /* so many steps were the same before */
	struct diff_step side[2];
};

/* How long the threads of that key waited for something, in each. */
struct diff_wait {
	char *key, *what;
	int64_t ns[2];
};

/* Texts that are in one of the two alone. */
struct diff_list {
	char **list;
	size_t n, cap;
};

struct diff {
	struct sqlite3 *db[2];       /* borrowed */
	struct diff_thread *threads; /* by the time of the first difference */
	size_t n_threads, cap_threads;
	struct diff_wait *waits; /* those that grew, the most first */
	size_t n_waits, cap_waits;
	struct diff_list tasks[2]; /* processes and threads */
	struct diff_list findings[2];
	size_t compared; /* threads that are in both */
};

/*
 * Compares. Returns 0 and *ret, freed with diff_free; or -EIO with one sentence in why. Makes temporary tables in
 * both, the files stay as they are.
 */
int diff_make(struct sqlite3 *a, struct sqlite3 *b, struct diff **ret, struct buf *why);
void diff_free(struct diff *d);

/* Says whether anything differs in what the threads do: not how long they waited. */
bool diff_differs(const struct diff *d);

/* Adds the differences for people; names: what the two are called. all: every thread, not the first ones. */
void diff_text(struct buf *out, const struct diff *d, const char *const names[2], bool all);

/* Adds them as a JSON object. */
void diff_json(struct buf *out, const struct diff *d, const char *const names[2]);

#endif
