/* rows.c - rows in memory as a virtual table of SQLite. */
/* SPDX-License-Identifier: MIT */
#include "tracer/store/rows.h"

#include "base/mem.h"
#include "tracer/store/store.h"

#include <sqlite3.h>

_Static_assert(sizeof(void *) == sizeof(int64_t), "a pointer fills a cell");

struct rows_vtab {
	sqlite3_vtab base;
	struct store_source *source;
};

struct rows_cursor {
	sqlite3_vtab_cursor base;
	const struct store_source *source;
	size_t at;
};

static int rows_connect(
	sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **ret, char **error)
{
	struct rows_vtab *vtab = xcalloc(1, sizeof *vtab);
	struct store_source *source = aux;
	_cleanup_buf_ struct buf sql = BUF_INIT;
	int n = 0;

	(void)argc;
	(void)argv;
	(void)error;
	buf_adds(&sql, "CREATE TABLE x(");
	for (const struct column *c = source->info->columns; c->type; c++, n++)
		buf_addf(&sql, "%sc%d", n ? "," : "", n);
	buf_addc(&sql, ')');
	vtab->source = source;
	*ret = &vtab->base;
	return sqlite3_declare_vtab(db, sql.data);
}

static int rows_disconnect(sqlite3_vtab *base)
{
	free(base);
	return SQLITE_OK;
}

static int rows_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	(void)base;
	info->estimatedCost = 1;
	return SQLITE_OK;
}

static int rows_open(sqlite3_vtab *base, sqlite3_vtab_cursor **ret)
{
	struct rows_cursor *cursor = xcalloc(1, sizeof *cursor);

	cursor->source = ((struct rows_vtab *)base)->source;
	*ret = &cursor->base;
	return SQLITE_OK;
}

static int rows_close(sqlite3_vtab_cursor *base)
{
	free(base);
	return SQLITE_OK;
}

static int rows_filter(
	sqlite3_vtab_cursor *base, int index, const char *text, int argc, sqlite3_value **argv)
{
	(void)index;
	(void)text;
	(void)argc;
	(void)argv;
	((struct rows_cursor *)base)->at = 0;
	return SQLITE_OK;
}

static int rows_next(sqlite3_vtab_cursor *base)
{
	((struct rows_cursor *)base)->at++;
	return SQLITE_OK;
}

static int rows_eof(sqlite3_vtab_cursor *base)
{
	const struct rows_cursor *cursor = (const struct rows_cursor *)base;

	return cursor->at >= cursor->source->rows->n;
}

static void result_bytes(
	sqlite3_context *ctx, const struct buf *arena, const int64_t *cell, enum cell_type type)
{
	const char *p = arena->data + cell[0] - 1;

	if (type == CELL_TEXT)
		sqlite3_result_text(ctx, p, -1, SQLITE_STATIC);
	else
		sqlite3_result_blob(ctx, p, (int)cell[1], SQLITE_STATIC);
}

static int rows_column(sqlite3_vtab_cursor *base, sqlite3_context *ctx, int i)
{
	const struct rows_cursor *cursor = (const struct rows_cursor *)base;
	const struct store_source *source = cursor->source;
	const char *row = source->rows->data + cursor->at * source->info->row_size;
	const int64_t *cell = (const int64_t *)row + source->cells[i];
	enum cell_type type = source->info->columns[i].type;

	/* What is not set is NULL. */
	if (type <= CELL_INT) {
		if (*cell != STORE_NULL)
			sqlite3_result_int64(ctx, *cell);
	} else if (*cell && type == CELL_WORD) {
		sqlite3_result_text(ctx, *(const char *const *)cell, -1, SQLITE_STATIC);
	} else if (*cell) {
		result_bytes(ctx, &source->rows->arena, cell, type);
	}
	return SQLITE_OK;
}

static int rows_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
	*ret = (sqlite3_int64)((struct rows_cursor *)base)->at;
	return SQLITE_OK;
}

int store_rows_register(struct sqlite3 *db, struct store_source *source)
{
	/* Without xCreate: the table is there by itself and nobody can make another. */
	static const sqlite3_module module = {
		.xConnect = rows_connect,
		.xBestIndex = rows_best_index,
		.xDisconnect = rows_disconnect,
		.xOpen = rows_open,
		.xClose = rows_close,
		.xFilter = rows_filter,
		.xNext = rows_next,
		.xEof = rows_eof,
		.xColumn = rows_column,
		.xRowid = rows_rowid,
	};
	_cleanup_free_ char *name = xasprintf("rows_%s", source->info->name);
	int cell = 0;

	for (int i = 0; source->info->columns[i].type; i++, cell++) {
		source->cells[i] = cell;
		cell += source->info->columns[i].type == CELL_BLOB;
	}
	return sqlite3_create_module(db, name, &module, source);
}
