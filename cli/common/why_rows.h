/* why_rows.h - the threads of some processes at one moment, and whom they wait for, as rows. */
/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMON_WHY_ROWS_H
#define CLI_COMMON_WHY_ROWS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* Where it is read from, at which moment, and the first error. */
struct why_source {
	sqlite3 *db;
	int64_t at_ns; /* INT64_MAX: now */
	struct buf *why;
};

/* One thread that had not ended, and its wait. The texts are the list's. */
struct why_row {
	int64_t thread_id, tid;
	char *name, *state; /* state: the reason as in the database, or "runs" */
	int64_t wait_id, since_ns, lock_id, pipe_id, target_process_id, target_thread_id, site_id,
		stack_id;
	char *syscall, *detail, *mode;
	int64_t side;
	bool timed, is_housekeeping;
};

struct why_rows {
	struct why_row *list;
	size_t n, cap;
};

/*
 * Collects what stood at the moment in temporary tables of the connection, where all other functions
 * look for it. Returns 0 or -EIO with a sentence in why. why_source_done drops them.
 */
int why_source_init(struct why_source *src);
void why_source_done(const struct why_source *src);

/* Returns the time up to which waits are counted, ns since the start. */
int64_t why_source_now(const struct why_source *src);

/*
 * Returns a statement whose rows are the processes that had not ended or not been reaped: id, pid, name, command (JSON
 * array or NULL), whether it had ended, the command as words. NULL after an error.
 */
sqlite3_stmt *why_processes(const struct why_source *src);

/* Returns a statement for ?1 = id, or NULL after an error. */
sqlite3_stmt *why_prepare(const struct why_source *src, const char *sql, int64_t id);

/* Steps; false at the end, after an error, or without a statement. */
bool why_next(const struct why_source *src, sqlite3_stmt *stmt);

/* Reads the threads of a process, by their numbers; freed with why_rows_done. */
void why_rows_load(struct why_rows *rows, const struct why_source *src, int64_t process);
void why_rows_done(struct why_rows *rows);

/*
 * Adds those who could end the wait, separated by between: who holds its lock or has the other end of its
 * pipe. Returns how many.
 */
int why_whom(struct buf *out, const struct why_source *src, const struct why_row *r,
	const char *between);

/* Adds whoever has the other end of a pipe, for a wait on it (mode 'r' or 'w') of that side, separated by ", ". Returns how many. */
int why_other_ends(struct buf *out, const struct why_source *src, int64_t pipe, const char *mode,
	int64_t side);

/* Says whether a thread was stopped inside a wait that it goes back to. */
bool why_is_stopped_in_wait(const struct why_row *r);

#endif
