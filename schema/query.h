/* query.h - the one set of short forms for SQLite: every statement but a user's own is made here. */
/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_QUERY_H
#define SCHEMA_QUERY_H

#include "base/mem.h"

#include <sqlite3.h>
#include <stdbool.h>

struct buf;

/* Gives *stmt back when the scope ends: it is kept for who asks the same of the connection, or finalized. */
void query_cleanup(sqlite3_stmt **stmt);
#define _cleanup_stmt_ __attribute__((cleanup(query_cleanup)))

/* Finalizes what is kept of a connection that is about to be closed: for db_close. */
void query_forget(struct sqlite3 *db);

/*
 * An error is said in why, in one sentence, and never taken for "no row". Of
 * several errors the first one counts: what is in why already stays alone.
 */

/* Prepares sql. Returns 0 and *ret, or -EIO and what SQLite said in why. */
int query_open(struct sqlite3 *db, const char *sql, sqlite3_stmt **ret, struct buf *why);

/*
 * Steps. Returns 1 with a row, 0 after the last one, -EIO after an error,
 * which is then in why. Texts of the row are valid until the next step.
 */
int query_step(sqlite3_stmt *stmt, struct buf *why);

/* Bind a value, of which a text is copied and NULL binds NULL. That can only fail where the query has no such mark. */
void query_bind_text(sqlite3_stmt *stmt, int index, const char *text);
void query_bind_bytes(sqlite3_stmt *stmt, int index, const char *text, size_t len);
void query_bind_int(sqlite3_stmt *stmt, int index, int64_t value);

/*
 * Sets *ret to the statement that reads all of the table or view of that name,
 * which the caller frees, or to NULL: there is none. A recording is hostile, so
 * the name is looked up and quoted by SQLite itself. Returns 0 or -EIO.
 */
int query_select_all(struct sqlite3 *db, const char *name, char **ret, struct buf *why);

/* Runs statements that yield nothing of interest. Returns 0 or -EIO. */
int query_exec(struct sqlite3 *db, const char *sql, struct buf *why);

/* Steps a statement that changes something and yields no rows, and makes it ready for the next time. Returns 0 or -EIO. */
int query_run(sqlite3_stmt *stmt, struct buf *why);

/* Prepares sql, binds up to one number as ?1, and steps once: as query_step. The row stays readable in *ret. */
int query_one(
	struct sqlite3 *db, const char *sql, int64_t arg, sqlite3_stmt **ret, struct buf *why);

/*
 * Returns the one number that sql yields for ?1 = arg, or fallback: no row, NULL,
 * or an error. The caller asks why when it has all it wanted, or uses query_failed.
 */
int64_t query_number(
	struct sqlite3 *db, const char *sql, int64_t arg, int64_t fallback, struct buf *why);

/* The same for ?1 = a and ?2 = b. */
int64_t query_pair(struct sqlite3 *db, const char *sql, int64_t a, int64_t b, int64_t fallback,
	struct buf *why);

/* Prepares each of n statements, and says in why which a database cannot answer. Returns 0 or -EIO. */
int query_check(struct sqlite3 *db, const char *const *sql, size_t n, struct buf *why);

/* Says whether a database holds a snapshot, in which nothing has a time. */
bool query_is_snapshot(struct sqlite3 *db, struct buf *why);

/* Returns -EIO if there is an error in why, else rc. */
int query_failed(int rc, const struct buf *why);

/* Return a column; a NULL text is "", a NULL number is the fallback. */
const char *query_text(sqlite3_stmt *stmt, int col);
int64_t query_int(sqlite3_stmt *stmt, int col, int64_t fallback);

/* Adds a text column as buf_add_printable does: to whatever a person may read. */
void query_add_text(struct buf *b, sqlite3_stmt *stmt, int col);
bool query_null(sqlite3_stmt *stmt, int col);

/*
 * The file of machine code that a process (an alias of the table) runs: its exe, but of a script that was executed by its own name the
 * interpreter, which the kernel puts before it among the arguments.
 */
#define QUERY_INTERPRETER(p)                                                                       \
	"iif(json_valid(" p ".command) AND " p ".exe IN (json_extract(" p ".command, '$[1]'),"     \
	" json_extract(" p ".command, '$[2]')), json_extract(" p ".command, '$[0]'), " p ".exe)"

/* So many rows of pipe_io may be gone through for one answer: there is no index while the command runs. */
enum { QUERY_PIPE_IO_MOST = 2000000 };

/*
 * Adds a column as a JSON value: a number, a string or null; infinities, which JSON lacks, are null. Columns that hold
 * JSON themselves (arguments, options, blind spots; name: the column's, or what it is called here) become that array or object,
 * not a string with JSON in it, unless what they hold is none: a recording may be damaged or hostile.
 */
void query_json(struct buf *b, sqlite3_stmt *stmt, int column, const char *name);

#endif
