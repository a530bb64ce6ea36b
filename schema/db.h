/* db.h - open a trace file, and refuse what is not one. */
/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_DB_H
#define SCHEMA_DB_H

struct sqlite3;

/* PRAGMA application_id of a trace file ("pptr"); user_version: schema/version.h. */
#define DB_APPLICATION_ID 0x70707472

/* The SQL texts of this folder, embedded by the build. */
extern const char db_schema_sql[]; /* tables */
extern const char db_views_sql[];  /* views: views.sql and wait_for.sql */
extern const char db_index_sql[];  /* indexes, made at the end */

/*
 * Opens a trace for reading. A file that grows is read as of its last commit;
 * the file of a crashed run is read with its -wal. Returns 0 and sets *ret_db,
 * which the caller closes with db_close; or a negative errno and sets
 * *ret_why to one sentence (without a full stop) that the caller frees:
 *   -ENOENT no such file; -EACCES not readable; -EISDIR a directory;
 *   -EMEDIUMTYPE not a pptrace file (foreign, empty or damaged); -EPROTO of a
 *   newer major version.
 * A recording is hostile: functions of its schema are disarmed (TRUSTED_SCHEMA
 * off, DEFENSIVE on), its tables must be tables (schema/guard.h), views are our
 * own, made again as temporary ones, and nothing can be written (query_only).
 */
int db_open_read(const char *path, struct sqlite3 **ret_db, char **ret_why);

/* Closes a connection (or NULL), of which no statement is in use any more. */
void db_close(struct sqlite3 *db);

/*
 * Opens for reading, as db_open_read, a trace that this process is writing. The
 * file is not looked at before SQLite opens it: closing any descriptor of a file
 * drops all record locks that the process has on it (fcntl(2)), the writer's
 * too, and whoever opens the trace next would take it for one that is not
 * written and remove its -wal (https://www.sqlite.org/howtocorrupt.html, 2.2).
 */
int db_open_own(const char *path, struct sqlite3 **ret_db, char **ret_why);

/* From now on queries fail (SQLITE_INTERRUPT) once this process has used so many more seconds of processor time. */
void db_limit(struct sqlite3 *db, unsigned seconds);

/*
 * Creates a new trace file at path with mode 0600, not following a symlink:
 * tables and views made, WAL on, schema checkpointed. It has another name until
 * it is complete, so that whoever looks for it early finds nothing or a trace.
 * An existing trace is renamed to path.old; a file that is not a trace is
 * left alone: -EEXIST. Otherwise returns as db_open_read.
 */
int db_create(const char *path, struct sqlite3 **ret_db, char **ret_why);

/* Returns what went wrong with the last call to SQLite, with the system's own error where that was it. The caller frees it. */
char *db_error_words(struct sqlite3 *db);

/*
 * Reads a trace into a private in-memory database with the same tables and
 * views. Returns as db_open_read. For readers that want to compute findings
 * for a time, or for the file of a crashed run, without writing to the file.
 */
int db_open_temp(struct sqlite3 **ret_db, char **ret_why);

#endif
