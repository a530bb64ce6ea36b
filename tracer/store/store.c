/* store.c - keep rows in a SQLite database, many at a time. */
/* SPDX-License-Identifier: MIT */
/*
 * Each table collects rows in memory, 8 bytes a cell, and hands them to SQLite
 * with one statement for all: INSERT ... SELECT from a virtual table whose rows
 * they are (store_rows.c). Measured with rows of eight numbers that is a third
 * faster than VALUES with many rows of parameters, which copies each value
 * once more. Texts are copied to the table's own arena, and the cell holds
 * where. All is in one transaction that store_commit ends and begins again.
 *
 * When there is much to do, a thread of its own does it (store_writer.c), in
 * the same order: rows and SQL are jobs. The connection is used by one thread
 * at a time: by the caller's only after the writer's queue has been drained.
 */
#include "tracer/store/store.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/db.h"
#include "tracer/store/insert.h"
#include "tracer/store/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sqlite3.h>

#define AUTO(column) {#column, CELL_AUTO},
#define INT(column) {#column, CELL_INT},
#define WORD(column) {#column, CELL_WORD},
#define TEXT(column) {#column, CELL_TEXT},
#define BLOB(column) {#column, CELL_BLOB},
#define TABLE(NAME, name, rows, columns) {#name, rows, sizeof(struct row_##name), {columns}},
static const struct table_info tables[STORE_TABLES] = {
#include "tracer/store/tables.def"
};
#undef TABLE
#undef AUTO
#undef INT
#undef WORD
#undef TEXT
#undef BLOB

#define TABLE(NAME, name, rows, columns)                                                           \
	_Static_assert((rows) * sizeof(struct row_##name) <= STORE_ROOM, #name ": too many rows");
#include "tracer/store/tables.def"
#undef TABLE

/* From so many rows in one transaction on a thread pays off. */
enum { MANY_ROWS = 20000 };

#define COMMIT "COMMIT"

/* Rows of one transaction, and where memory is short. */
enum { BATCH = 400000, BATCH_SHORT = 50000 };

/* About what a row takes. */
enum { ROW_BYTES = 40 };

struct table {
	struct store_insert insert;
	struct store_source source; /* the rows that are written at this moment */
	struct job *job;            /* those that are collected */
	size_t cap;
	int64_t last_id;
};

struct store {
	sqlite3 *db;
	struct table tables[STORE_TABLES];
	struct writer *writer;
	size_t pending, batch;
	int cached;    /* the file, if it shall not stay in memory, or -1 */
	atomic_int rc; /* sticks */
	char *error;   /* set before rc is */
	char *scratch; /* where rows go after an error */
};

static void fail(struct store *st, const char *what)
{
	int rc = sqlite3_errcode(st->db) & 0xff;
	_cleanup_free_ char *words = NULL;

	if (st->rc)
		return;
	words = db_error_words(st->db);
	st->error = xasprintf("%s (in %s)", words, what);
	st->rc = rc == SQLITE_FULL    ? -ENOSPC
		 : rc == SQLITE_NOMEM ? -ENOMEM
		 : rc == SQLITE_BUSY  ? -EBUSY
				      : -EIO;
}

/*
 * What has been copied into the file goes to the disk now, and what did so the last time
 * leaves the memory, which would be counted to the command's control group. The descriptor stays open as long
 * as SQLite's own: to close it would drop the locks of those.
 */
static void drop_cached(const struct store *st)
{
	if (st->cached < 0)
		return;
	(void)sync_file_range(
		st->cached, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE);
	(void)posix_fadvise(st->cached, 0, 0, POSIX_FADV_DONTNEED);
}

static void run_sql(struct store *st, const char *sql)
{
	if (sqlite3_exec(st->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail(st, sql);
	else if (!strncmp(sql, COMMIT, strlen(COMMIT)))
		drop_cached(st);
}

/* Does a job: in the caller's thread, or in the writer's. */
static void run_job(void *arg, struct job *j)
{
	struct store *st = arg;
	struct table *tab = &st->tables[j->table];

	if (!st->rc && j->sql) {
		run_sql(st, j->sql);
		return;
	}
	tab->source.rows = &j->rows;
	if (!st->rc && store_insert(st->db, &tab->insert, &tab->source, j->replacing) != SQLITE_OK)
		fail(st, tables[j->table].name);
	j->rows.n = 0;
	buf_reset(&j->rows.arena);
}

/* Hands over, or writes, the rows that a table has collected. */
static void write_rows(struct store *st, enum store_table t)
{
	struct table *tab = &st->tables[t];

	if (!tab->job || !tab->job->rows.n)
		return;
	if (!st->writer && st->pending >= MANY_ROWS)
		st->writer = writer_start(run_job, st);
	if (st->writer) {
		writer_push(st->writer, tab->job);
		tab->job = NULL;
	} else {
		run_job(st, tab->job);
	}
}

static void make_tables(struct store *st)
{
	for (int t = 0; t < STORE_TABLES; t++) {
		struct table *tab = &st->tables[t];

		tab->cap = tables[t].rows;
		tab->source.info = &tables[t];
		if (store_rows_register(st->db, &tab->source) != SQLITE_OK)
			fail(st, tables[t].name);
	}
}

int store_open(const char *path, struct store **ret, char **ret_why)
{
	struct store *st = xcalloc(1, sizeof *st);
	int rc = path ? db_create(path, &st->db, ret_why) : db_open_temp(&st->db, ret_why);

	if (rc) {
		free(st);
		return rc;
	}
	st->batch = BATCH;
	st->cached = -1;
	st->scratch = xcalloc(STORE_MAX_COLUMNS + 2, sizeof(int64_t));
	make_tables(st);
	/* The log is copied into the file at each commit and does not stay larger than this. */
	if (sqlite3_exec(st->db,
		    "PRAGMA journal_size_limit = 4194304; PRAGMA cache_size = -8192;"
		    "PRAGMA synchronous = OFF; BEGIN",
		    NULL, NULL, NULL) != SQLITE_OK)
		fail(st, "BEGIN");
	*ret = st;
	return 0;
}

static void write_all(struct store *st)
{
	for (int t = 0; t < STORE_TABLES; t++)
		write_rows(st, (enum store_table)t);
}

/* From here on the connection is the caller's, until the next job. */
static void drain(struct store *st)
{
	if (st->writer)
		writer_drain(st->writer);
}

int store_exec(struct store *st, const char *sql)
{
	struct job *j;

	write_all(st);
	if (!st->writer) {
		if (!st->rc)
			run_sql(st, sql);
		return st->rc;
	}
	j = writer_spare(st->writer);
	j->sql = xstrdup(sql);
	writer_push(st->writer, j);
	return st->rc;
}

int store_commit_later(struct store *st)
{
	st->pending = 0;
	return store_exec(st, COMMIT "; BEGIN");
}

int store_commit(struct store *st)
{
	(void)store_commit_later(st);
	drain(st);
	return st->rc;
}

bool store_is_due(const struct store *st)
{
	return st->pending >= st->batch;
}

void store_commit_often(struct store *st, int64_t bytes)
{
	int64_t rows = bytes / ROW_BYTES;

	if (rows < (int64_t)st->batch)
		st->batch = (size_t)rows;
}

void store_save_memory(struct store *st, const char *path)
{
	if (st->batch > BATCH_SHORT)
		st->batch = BATCH_SHORT;
	st->cached = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	(void)store_exec(st, "PRAGMA cache_size = -2048");
}

static void close_db(struct store *st)
{
	if (!sqlite3_get_autocommit(st->db))
		(void)sqlite3_exec(st->db, "ROLLBACK", NULL, NULL, NULL);
	for (int t = 0; t < STORE_TABLES; t++)
		store_insert_done(&st->tables[t].insert);
	/*
	 * Fails while a reader is there: then the last reader removes the log. The file says afterwards that it has none. That is
	 * written with a journal of the new mode, and one that is a file would make a reader want to write, had pptrace been
	 * killed in between (OP_JournalMode in SQLite's vdbe.c).
	 */
	if (sqlite3_exec(st->db, "PRAGMA busy_timeout = 100; PRAGMA journal_mode = MEMORY", NULL,
		    NULL, NULL) != SQLITE_OK)
		(void)sqlite3_exec(st->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
	db_close(st->db);
	drop_cached(st);
	mem_cleanup_close(&st->cached);
}

int store_close(struct store *st)
{
	int rc;

	if (!st)
		return 0;
	(void)store_exec(st, COMMIT);
	writer_stop(steal(&st->writer));
	rc = store_exec(st, db_index_sql);
	close_db(st);
	for (int t = 0; t < STORE_TABLES; t++)
		job_free(st->tables[t].job);
	free(st->scratch);
	free(st->error);
	free(st);
	return rc;
}

struct sqlite3 *store_db(struct store *st)
{
	drain(st);
	return st->db;
}

const char *store_error(const struct store *st)
{
	return st->rc ? st->error : NULL;
}

static void *add_row(struct store *st, enum store_table t, bool replacing)
{
	struct table *tab = &st->tables[t];
	struct job *j = tab->job;

	if (j && (j->rows.n == tab->cap || (j->rows.n && j->replacing != replacing))) {
		write_rows(st, t);
		j = tab->job;
	}
	if (st->rc)
		return st->scratch;
	if (!j) {
		j = tab->job = st->writer ? writer_spare(st->writer) : job_new();
		j->table = (int)t;
	}
	st->pending++;
	j->replacing = replacing;
	return j->rows.data + j->rows.n++ * tables[t].row_size;
}

void *store_room(struct store *st, enum store_table t)
{
	st->tables[t].last_id++;
	return add_row(st, t, false);
}

/* Copies what the text cells of a row point to; the cells become places in the arena. */
static void keep_texts(int64_t *cell, const struct table_info *info, struct buf *arena)
{
	for (const struct column *c = info->columns; c->type; c++, cell++) {
		const char *p = *(const char **)cell;
		size_t len;

		if (c->type != CELL_TEXT && c->type != CELL_BLOB)
			continue;
		len = c->type == CELL_BLOB ? (size_t)cell[1] : p ? strlen(p) + 1 : 0;
		*cell = p ? (int64_t)arena->len + 1 : 0;
		if (p)
			buf_add(arena, p, len);
		cell += c->type == CELL_BLOB;
	}
}

static void add_copy(struct store *st, enum store_table t, const void *row, bool replacing)
{
	int64_t *room = add_row(st, t, replacing);

	if (st->rc)
		return;
	memcpy(room, row, tables[t].row_size);
	keep_texts(room, &tables[t], &st->tables[t].job->rows.arena);
}

void store_put(struct store *st, enum store_table t, const void *row)
{
	st->tables[t].last_id++;
	add_copy(st, t, row, false);
}

void store_replace(struct store *st, enum store_table t, const void *row)
{
	add_copy(st, t, row, true);
}

int64_t store_last_id(const struct store *st, enum store_table t)
{
	return st->tables[t].last_id;
}

void store_write(struct store *st, enum store_table t, const void *row, bool *written)
{
	if (*written)
		store_replace(st, t, row);
	else
		store_put(st, t, row);
	*written = true;
}

void store_write_numbered(struct store *st, enum store_table t, const void *row, int64_t *id)
{
	bool written = *id != 0;

	store_write(st, t, row, &written);
	if (!*id)
		*id = store_last_id(st, t);
}
