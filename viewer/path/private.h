/* private.h - what the walk of the critical path looks things up in. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_PATH_PRIVATE_H
#define VIEWER_PATH_PRIVATE_H

#include "viewer/path/path.h"

/* Who is killed together does not die at the same nanosecond. */
#define PATH_TOGETHER_NS INT64_C(10000000)

/* The waits of all threads, of each one after the other. */
struct path_waits {
	struct path_wait *list;
	size_t n;
	size_t *first; /* of each thread; one more for the end of the last */
	size_t *hint; /* of each thread: the one that was found last, since the walk only goes back */
};

/* Reads them. Return NULL or what went wrong as text that the caller frees; path_waits_done is due either way. */
char *path_waits_load(struct path_waits *ws, const struct trace *t, struct sqlite3 *db);
void path_waits_done(struct path_waits *ws);

/* Returns the last wait of a thread that began before then, or NULL. */
struct path_wait *path_waits_before(struct path_waits *ws, size_t thread, int64_t then);

/* What ends waits of one kind on one object: bytes written, bytes taken out, a lock released, something signalled. */
enum deed_kind { DEED_WRITE, DEED_READ, DEED_RELEASE, DEED_SIGNAL, DEED_REAP };
struct deed {
	uint64_t key; /* of kind and object */
	int64_t ts;
	uint32_t thread;
};

/* Deeds by key and time. They are read when the first wait without a waker asks for them: only the shim leaves such. */
struct path_deeds {
	struct deed *list;
	size_t n, cap;
	bool is_loaded;
	char *why;
};

/* Returns the thread that last did something in (from, to] that could have ended that wait, or NONE; what went wrong is in d->why. */
size_t path_deeds_waker(
	struct path_deeds *d, const struct trace *t, struct sqlite3 *db, const struct path_wait *w);
void path_deeds_done(struct path_deeds *d);

/* Adds up what the steps took. */
void path_sum_up(struct path *p);

#endif
