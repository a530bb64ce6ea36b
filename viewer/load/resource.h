/* resource.h - short names for what threads wait for and hold. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_LOAD_RESOURCE_H
#define VIEWER_LOAD_RESOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "schema/waits.h"

struct sqlite3;

struct lock_row {
	int64_t id;
	char *name; /* "print_mutex", or "mutex 3" where the variable is not known */
	char *kind;
	size_t proc;   /* in trace.procs; NONE: shared */
	size_t number; /* in the order of ids, from 0 */
};

struct pipe_row {
	int64_t id;
	char *name;      /* "pipe 3" */
	char *long_name; /* "pipe 3 (ls -> sort)" */
	char *kind;
	bool is_two_sided; /* each side reads what the other writes */
};

/* All locks and pipes of a trace, by id. */
struct resources {
	struct hash locks, pipes;
	struct lock_row *lock_list; /* ordered by id */
	struct pipe_row *pipe_list;
	size_t n_locks, n_pipes;
};

struct trace;
struct buf;

/* What a wait is for: ids, 0: none; indexes of trace.procs and trace.threads, NONE: none. */
struct target {
	int64_t lock_id, pipe_id;
	size_t target_proc, target_thread;
};

/* Reads them. Returns NULL, or what went wrong as text that the caller frees; resources_done is due either way. */
char *resources_load(struct resources *r, struct sqlite3 *db, const struct trace *t);
void resources_done(struct resources *r);

/* Returns the row of that id, or NULL. */
const struct lock_row *resources_lock(const struct resources *r, int64_t id);
const struct pipe_row *resources_pipe(const struct resources *r, int64_t id);

/* Adds what is waited for, after a blank: " print_mutex", " pipe 3 (ls -> sort)", " sort (pid 302)"; brief: " pipe 3", " sort". */
void resources_add_target(struct buf *b, const struct resources *r, const struct trace *t,
	const struct target *on, bool brief);

#endif
