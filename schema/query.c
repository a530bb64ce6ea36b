/* query.c - short forms for reading rows with SQLite. */
/* SPDX-License-Identifier: MIT */
#include "schema/query.h"

#include "base/buf.h"

#include <errno.h>
#include <string.h>

void query_cleanup(sqlite3_stmt **stmt)
{
	(void)sqlite3_finalize(*stmt);
	*stmt = NULL;
}

int query_open(struct sqlite3 *db, const char *sql, sqlite3_stmt **ret, struct buf *why)
{
	const char *text;

	if (sqlite3_prepare_v2(db, sql, -1, ret, NULL) == SQLITE_OK)
		return 0;
	text = sqlite3_errmsg(db);
	/* Columns are added as pptrace learns to see more. */
	if (!strncmp(text, "no such column", 14) || !strncmp(text, "no such table", 13))
		buf_adds(why, "the recording was made by an older pptrace, record it anew: ");
	buf_adds(why, text);
	return -EIO;
}

int query_step(sqlite3_stmt *stmt, struct buf *why)
{
	int rc = sqlite3_step(stmt);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE)
		return 0;
	buf_adds(why, sqlite3_errmsg(sqlite3_db_handle(stmt)));
	return -EIO;
}

int query_one(struct sqlite3 *db, const char *sql, int64_t arg, sqlite3_stmt **ret, struct buf *why)
{
	int rc = query_open(db, sql, ret, why);

	if (rc)
		return rc;
	(void)sqlite3_bind_int64(*ret, 1, arg); /* fails only where the query has no ?1 */
	return query_step(*ret, why);
}

int64_t query_number(struct sqlite3 *db, const char *sql, int64_t arg, int64_t fallback)
{
	return query_pair(
		db, sql, arg, 0, fallback); /* where there is no ?2 its value is refused */
}

int64_t query_pair(struct sqlite3 *db, const char *sql, int64_t a, int64_t b, int64_t fallback)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;

	if (query_open(db, sql, &stmt, &why) != 0)
		return fallback;
	(void)sqlite3_bind_int64(stmt, 1, a);
	(void)sqlite3_bind_int64(stmt, 2, b);
	return query_step(stmt, &why) == 1 ? query_int(stmt, 0, fallback) : fallback;
}

const char *query_text(sqlite3_stmt *stmt, int col)
{
	const unsigned char *s = sqlite3_column_text(stmt, col);

	return s ? (const char *)s : "";
}

int64_t query_int(sqlite3_stmt *stmt, int col, int64_t fallback)
{
	return query_null(stmt, col) ? fallback : sqlite3_column_int64(stmt, col);
}

bool query_null(sqlite3_stmt *stmt, int col)
{
	return sqlite3_column_type(stmt, col) == SQLITE_NULL;
}
