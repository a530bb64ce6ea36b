/* store.c - keep rows in a SQLite database, many at a time. */
/* SPDX-License-Identifier: MIT */
/*
 * Each table collects rows in memory, 8 bytes a cell, and writes them with one
 * statement of many rows: most of the time of an insert is the overhead of a
 * statement. Texts are copied to the table's own arena, and the cell holds
 * where. All is in one transaction that store_commit ends and begins anew.
 */
#include "tracer/store.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/db.h"

#include <errno.h>
#include <stdbool.h>
#include <sqlite3.h>

enum { MAX_COLUMNS = 24 };

_Static_assert(sizeof(void *) == sizeof(int64_t), "a pointer fills a cell");

enum cell_type { CELL_END, CELL_INT, CELL_WORD, CELL_TEXT, CELL_BLOB };

struct column {
	const char *name;
	enum cell_type type;
};

struct table_info {
	const char *name;
	size_t rows;
	size_t row_size;
	struct column columns[MAX_COLUMNS];
};

#define INT(column) {#column, CELL_INT},
#define WORD(column) {#column, CELL_WORD},
#define TEXT(column) {#column, CELL_TEXT},
#define BLOB(column) {#column, CELL_BLOB},
#define TABLE(NAME, name, rows, columns) {#name, rows, sizeof(struct row_##name), {columns}},
static const struct table_info tables[STORE_TABLES] = {
#include "tracer/tables.def"
};
#undef TABLE
#undef INT
#undef WORD
#undef TEXT
#undef BLOB

/* Rows of one table that are not written yet. */
struct table {
	sqlite3_stmt *many, *one, *replace;
	char *rows; /* info->rows rows of info->row_size bytes */
	size_t n;
	struct buf arena; /* texts of these rows */
};

struct store {
	sqlite3 *db;
	struct table tables[STORE_TABLES];
	size_t pending;
	int rc; /* sticks */
	char *error;
	char *scratch; /* where rows go after an error */
};

static void fail(struct store *st, const char *what)
{
	int rc = sqlite3_errcode(st->db) & 0xff;

	if (st->rc)
		return;
	st->rc = rc == SQLITE_FULL    ? -ENOSPC
		 : rc == SQLITE_NOMEM ? -ENOMEM
		 : rc == SQLITE_BUSY  ? -EBUSY
				      : -EIO;
	st->error = xasprintf("%s (in %s)", sqlite3_errmsg(st->db), what);
}

/* Adds the name of a column: errno is a macro of C, so it is errno_ here. */
static void add_column(struct buf *sql, const char *name)
{
	size_t len = strlen(name);

	if (name[len - 1] == '_')
		len--;
	buf_addc(sql, '"');
	buf_add(sql, name, len);
	buf_addc(sql, '"');
}

static sqlite3_stmt *prepare(struct store *st, enum store_table t, const char *verb, size_t rows)
{
	const struct table_info *info = &tables[t];
	_cleanup_buf_ struct buf sql = BUF_INIT;
	sqlite3_stmt *stmt = NULL;

	buf_addf(&sql, "%s INTO %s(", verb, info->name);
	for (const struct column *c = info->columns; c->type; c++) {
		if (c != info->columns)
			buf_addc(&sql, ',');
		add_column(&sql, c->name);
	}
	buf_adds(&sql, ") VALUES ");
	for (size_t i = 0; i < rows; i++) {
		buf_adds(&sql, i ? ",(" : "(");
		for (const struct column *c = info->columns; c->type; c++)
			buf_adds(&sql, c != info->columns ? ",?" : "?");
		buf_addc(&sql, ')');
	}
	if (sqlite3_prepare_v3(st->db, sql.data, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) !=
		SQLITE_OK)
		fail(st, info->name);
	return stmt;
}

/* Where the bytes of a text cell are: a place in the arena, counted from 1, 0 is NULL. */
static void bind_bytes(sqlite3_stmt *stmt, int i, const struct buf *arena, const int64_t *cell,
	enum cell_type type)
{
	const char *p = arena->data + cell[0] - 1;

	if (!cell[0])
		(void)sqlite3_bind_null(stmt, i);
	else if (type == CELL_TEXT)
		(void)sqlite3_bind_text(stmt, i, p, -1, SQLITE_STATIC);
	else
		(void)sqlite3_bind_blob(stmt, i, p, (int)cell[1], SQLITE_STATIC);
}

/* Binds one row from parameter i on and returns the next parameter. */
static int bind_row(sqlite3_stmt *stmt, int i, const struct table_info *info, const void *row,
	const struct buf *arena)
{
	const int64_t *cell = row;

	for (const struct column *c = info->columns; c->type; c++, cell++, i++) {
		if (c->type == CELL_INT && *cell != STORE_NULL) {
			(void)sqlite3_bind_int64(stmt, i, *cell);
		} else if (c->type == CELL_INT) {
			(void)sqlite3_bind_null(stmt, i);
		} else if (c->type == CELL_WORD) {
			const char *word = *(const char *const *)cell;

			(void)sqlite3_bind_text(stmt, i, word, -1, SQLITE_STATIC);
		} else {
			bind_bytes(stmt, i, arena, cell, c->type);
			cell += c->type == CELL_BLOB;
		}
	}
	return i;
}

static void run(struct store *st, enum store_table t, sqlite3_stmt *stmt)
{
	if (sqlite3_step(stmt) != SQLITE_DONE)
		fail(st, tables[t].name);
	(void)sqlite3_reset(stmt);
}

/* Writes the rows that a table has collected: all with one statement if it is full, else one by one. */
static void write_rows(struct store *st, enum store_table t)
{
	const struct table_info *info = &tables[t];
	struct table *tab = &st->tables[t];
	bool full = tab->n == info->rows && info->rows > 1;
	sqlite3_stmt **stmt = full ? &tab->many : &tab->one;
	int next = 1;

	if (tab->n && !st->rc && !*stmt)
		*stmt = prepare(st, t, "INSERT", full ? info->rows : 1);
	for (size_t i = 0; i < tab->n && !st->rc; i++) {
		next = bind_row(
			*stmt, full ? next : 1, info, tab->rows + i * info->row_size, &tab->arena);
		if (!full || i + 1 == tab->n)
			run(st, t, *stmt);
	}
	tab->n = 0;
	buf_reset(&tab->arena);
}

int store_open(const char *path, struct store **ret, char **ret_why)
{
	struct store *st = xcalloc(1, sizeof *st);
	int rc = db_create(path, &st->db, ret_why);

	if (rc) {
		free(st);
		return rc;
	}
	st->scratch = xcalloc(MAX_COLUMNS + 2, sizeof(int64_t));
	for (int t = 0; t < STORE_TABLES; t++) {
		st->tables[t].rows = xcalloc(tables[t].rows, tables[t].row_size);
		st->tables[t].arena = BUF_INIT;
	}
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

int store_exec(struct store *st, const char *sql)
{
	write_all(st);
	if (!st->rc && sqlite3_exec(st->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail(st, sql);
	return st->rc;
}

int store_commit(struct store *st)
{
	st->pending = 0;
	return store_exec(st, "COMMIT; BEGIN");
}

size_t store_pending(const struct store *st)
{
	return st->pending;
}

static void close_db(struct store *st)
{
	if (!sqlite3_get_autocommit(st->db))
		(void)sqlite3_exec(st->db, "ROLLBACK", NULL, NULL, NULL);
	for (int t = 0; t < STORE_TABLES; t++) {
		(void)sqlite3_finalize(st->tables[t].many);
		(void)sqlite3_finalize(st->tables[t].one);
		(void)sqlite3_finalize(st->tables[t].replace);
	}
	/* Fails while a reader is there: then the last reader removes the log. */
	if (sqlite3_exec(st->db, "PRAGMA busy_timeout = 100; PRAGMA journal_mode = DELETE", NULL,
		    NULL, NULL) != SQLITE_OK)
		(void)sqlite3_exec(st->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
	(void)sqlite3_close(st->db);
}

int store_close(struct store *st)
{
	int rc;

	if (!st)
		return 0;
	(void)store_exec(st, "COMMIT");
	rc = store_exec(st, db_index_sql);
	close_db(st);
	for (int t = 0; t < STORE_TABLES; t++) {
		free(st->tables[t].rows);
		buf_done(&st->tables[t].arena);
	}
	free(st->scratch);
	free(st->error);
	free(st);
	return rc;
}

struct sqlite3 *store_db(struct store *st)
{
	return st->db;
}

const char *store_error(const struct store *st)
{
	return st->error;
}

void *store_room(struct store *st, enum store_table t)
{
	struct table *tab = &st->tables[t];

	if (tab->n == tables[t].rows)
		write_rows(st, t);
	if (st->rc)
		return st->scratch;
	st->pending++;
	return tab->rows + tab->n++ * tables[t].row_size;
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

void store_put(struct store *st, enum store_table t, const void *row)
{
	int64_t *room = store_room(st, t);

	if (st->rc)
		return;
	memcpy(room, row, tables[t].row_size);
	keep_texts(room, &tables[t], &st->tables[t].arena);
}

void store_replace(struct store *st, enum store_table t, const void *row)
{
	struct table *tab = &st->tables[t];
	int64_t *room;

	write_rows(st, t);
	if (!st->rc && !tab->replace)
		tab->replace = prepare(st, t, "REPLACE", 1);
	if (st->rc)
		return;
	st->pending++;
	room = (int64_t *)tab->rows;
	memcpy(room, row, tables[t].row_size);
	keep_texts(room, &tables[t], &tab->arena);
	(void)bind_row(tab->replace, 1, &tables[t], room, &tab->arena);
	run(st, t, tab->replace);
	buf_reset(&tab->arena);
}
