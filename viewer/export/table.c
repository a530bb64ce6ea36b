/* table.c - a part of a table or view. */
/* SPDX-License-Identifier: MIT */
#include "viewer/export/table.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"
#include "viewer/export/walk.h"

/* Columns that say when a row began and ended, whatever it is. */
static const char *const begins[] = {"ts_ns", "start_ns", "acquire_ns", "open_ns", "armed_ns",
	"sent_ns", "created_ns", "first_ns", NULL};
static const char *const ends[] = {
	"end_ns", "release_ns", "close_ns", "disarmed_ns", "delivered_ns", "last_ns", NULL};

static bool has_column(sqlite3_stmt *st, const char *name)
{
	for (int i = 0; i < sqlite3_column_count(st); i++)
		if (!strcmp(sqlite3_column_name(st, i), name))
			return true;
	return false;
}

static const char *first_column(sqlite3_stmt *st, const char *const *names)
{
	while (*names && !has_column(st, *names))
		names++;
	return *names;
}

/* Adds "(?1, ?2, ?3)": marks from first on. */
static void add_marks(struct buf *sql, size_t first, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addf(sql, "%s?%zu", i ? ", " : "(", first + i);
	buf_addc(sql, ')');
}

static int refuse(struct buf *why, const char *option, const char *table, const char *lacks)
{
	buf_addf(why, "%s does not go with the table '%s', whose rows have no %s", option, table,
		lacks);
	return -EINVAL;
}

static void add_chosen(struct buf *sql, size_t n)
{
	buf_adds(sql, "(SELECT id FROM process WHERE name IN ");
	add_marks(sql, 3, n);
	buf_adds(sql, " OR CAST(pid AS TEXT) IN ");
	add_marks(sql, 3, n);
	buf_addc(sql, ')');
}

/* Rows of a process have its id, or that of one of its threads; process itself has its own. */
static int add_processes(struct buf *sql, sqlite3_stmt *all, const char *table,
	const struct export_filter *f, struct buf *why)
{
	if (!f->n_processes)
		return 0;
	if (has_column(all, "process_id")) {
		buf_adds(sql, " AND process_id IN ");
		add_chosen(sql, f->n_processes);
	} else if (has_column(all, "thread_id")) {
		buf_adds(sql, " AND thread_id IN (SELECT id FROM thread WHERE process_id IN ");
		add_chosen(sql, f->n_processes);
		buf_addc(sql, ')');
	} else if (!strcmp(table, "process")) {
		buf_adds(sql, " AND id IN ");
		add_chosen(sql, f->n_processes);
	} else {
		return refuse(why, "--process", table, "process");
	}
	return 0;
}

/* What lasts counts if a part of it lies within the time. */
static int add_time(struct buf *sql, sqlite3_stmt *all, const char *table,
	const struct export_filter *f, struct buf *why)
{
	const char *begin = first_column(all, begins), *end = first_column(all, ends);

	if (f->since_ns == INT64_MIN && f->until_ns == INT64_MAX)
		return 0;
	if (!begin)
		return refuse(why, "--since or --until", table, "time");
	buf_addf(sql, " AND %s <= ?2 AND ", begin);
	if (end)
		buf_addf(sql, "coalesce(%s, 9223372036854775807) >= ?1", end);
	else
		buf_addf(sql, "%s >= ?1", begin);
	return 0;
}

static int add_kinds(
	struct buf *sql, const char *table, const struct export_filter *f, struct buf *why)
{
	if (!f->n_kinds)
		return 0;
	if (strcmp(table, "event") != 0)
		return refuse(why, "--kind", table, "kind of event");
	buf_adds(sql, " AND kind IN ");
	add_marks(sql, 3 + f->n_processes, f->n_kinds);
	return 0;
}

static void bind(sqlite3_stmt *st, const struct export_filter *f)
{
	int at = 3;

	query_bind_int(st, 1, f->since_ns);
	query_bind_int(st, 2, f->until_ns);
	for (size_t i = 0; i < f->n_processes; i++)
		query_bind_text(st, at++, f->processes[i]);
	for (size_t i = 0; i < f->n_kinds; i++)
		query_bind_text(st, at++, f->kinds[i]);
}

int export_select(sqlite3 *db, const char *table, const struct export_filter *filter,
	sqlite3_stmt **ret, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *all = NULL;
	_cleanup_buf_ struct buf sql = BUF_INIT;
	_cleanup_free_ char *select = NULL;
	int rc = query_select_all(db, table, &select, why);

	if (rc < 0)
		return rc;
	if (!select)
		return -ENOENT;
	rc = query_open(db, select, &all, why);
	buf_addf(&sql, "%s WHERE 1", select);
	if (!rc)
		rc = add_processes(&sql, all, table, filter, why);
	if (!rc)
		rc = add_time(&sql, all, table, filter, why);
	if (!rc)
		rc = add_kinds(&sql, table, filter, why);
	if (!rc)
		rc = query_open(db, sql.data, ret, why);
	if (!rc)
		bind(*ret, filter);
	return rc;
}
