/* columns.c - the tables and columns of a recording, as schema.sql has them. */
/* SPDX-License-Identifier: MIT */
#include "fleet/columns.h"

#include "base/buf.h"
#include "schema/db.h"
#include "schema/query.h"

#include <errno.h>

/* Columns in _ns that hold how long something took, not when it happened. */
static const char *const lengths[] = {"cpu_ns", "duration_ns", "held_ns", "hold_ns", "interval_ns",
	"max_hold_ns", "max_wait_ns", "started_unix_ns", "wait_ns"};

/* The tables that grow with everything that happens. Rows are added, and completed once when what they tell of ends. */
static const struct {
	const char *table, *open_end;
} growing[] = {{"pipe_io", "end_ns"}, {"lock_hold", "release_ns"}, {"sync", "end_ns"},
	{"wait", "end_ns"}, {"sched", "end_ns"}};

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static enum column_meaning meaning_of(const char *name)
{
	if (!strcmp(name, "id") || ends_in(name, "_id"))
		return COLUMN_ID;
	if (!strcmp(name, "gates"))
		return COLUMN_IDS;
	if (!ends_in(name, "_ns"))
		return COLUMN_PLAIN;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		if (!strcmp(name, lengths[i]))
			return COLUMN_PLAIN;
	return COLUMN_MOMENT;
}

static const char columns_sql[] =
	"SELECT m.name, c.name, c.type, c.\"notnull\", c.pk FROM sqlite_master m, pragma_table_info(m.name) c"
	" WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY m.rowid, c.cid";

static struct table *begin_table(struct tables *t, size_t *cap, const char *name)
{
	struct table *table;

	ARRAY_GROW(t->list, t->n, *cap);
	table = &t->list[t->n++];
	*table = (struct table){.name = xstrdup(name), .rowid = true};
	for (size_t i = 0; i < ARRAY_SIZE(growing); i++)
		if (!strcmp(growing[i].table, name))
			table->open_end = growing[i].open_end;
	return table;
}

static void add_column(struct table *table, sqlite3_stmt *row)
{
	const char *name = query_text(row, 1), *type = query_text(row, 2);
	bool key = query_int(row, 4, 0) != 0;

	table->columns = xreallocarray(table->columns, table->n + 1, sizeof *table->columns);
	table->columns[table->n++] = (struct column){.name = xstrdup(name),
		.type = !strcmp(type, "TEXT")   ? COLUMN_TEXT
			: !strcmp(type, "BLOB") ? COLUMN_BYTES
						: COLUMN_NUMBER,
		.meaning = meaning_of(name),
		.nullable = !key && !query_int(row, 3, 0),
		.is_key = key};
	table->rowid = table->rowid && !key;
}

int columns_load(struct tables *ret, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *row = NULL;
	_cleanup_free_ char *sentence = NULL;
	struct table *table = NULL;
	struct sqlite3 *db = NULL;
	size_t cap = 0;
	int rc;

	*ret = (struct tables){0};
	if (db_open_temp(&db, &sentence) < 0) {
		buf_adds(why, sentence);
		return -EIO;
	}
	rc = query_one(db, columns_sql, 0, &row, why);
	for (; rc > 0; rc = query_step(row, why)) {
		if (!table || strcmp(table->name, query_text(row, 0)) != 0)
			table = begin_table(ret, &cap, query_text(row, 0));
		add_column(table, row);
	}
	query_cleanup(&row);
	row = NULL;
	db_close(db);
	return rc;
}

void columns_done(struct tables *t)
{
	for (size_t i = 0; i < t->n; i++) {
		for (size_t k = 0; k < t->list[i].n; k++)
			free(t->list[i].columns[k].name);
		free(t->list[i].columns);
		free(t->list[i].name);
	}
	free(t->list);
	*t = (struct tables){0};
}

const struct table *columns_table(const struct tables *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->list[i].name, name))
			return &t->list[i];
	return NULL;
}
