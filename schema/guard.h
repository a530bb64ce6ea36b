/* guard.h - what a recording may not be or contain, since anybody may have written it. */
/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_GUARD_H
#define SCHEMA_GUARD_H

struct sqlite3;
struct stat;

/* What lies beside a recording. */
enum guard_beside { GUARD_ALONE, GUARD_HAS_FILES };

/*
 * Looks at the -wal, -shm and -journal beside a recording, whose stat is st:
 * SQLite opens them, and would wait forever for a FIFO's writer. Returns what
 * there is; or -EACCES and one sentence in *ret_why, which the caller frees, if
 * one is not a plain file of the recording's owner, of root or of the caller.
 */
int guard_beside(const char *path, const struct stat *st, char **ret_why);

/*
 * Checks that what has the name of one of our tables is a table: no view, whose
 * query could last forever, no virtual table, no generated column, no trigger.
 * Then makes our views again as temporary ones, which come before those of the
 * file. Returns an SQLite code; SQLITE_AUTH: it is hostile, and *ret_why says
 * what, which the caller frees.
 */
int guard_schema(struct sqlite3 *db, char **ret_why);

#endif
