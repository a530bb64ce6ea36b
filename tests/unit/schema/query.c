/* query.c - an error of SQLite's is never taken for "no row". */
/* SPDX-License-Identifier: MIT */
#include "schema/query.h"

#include <errno.h>

#include "base/buf.h"
#include "schema/db.h"
#include "tests/unit/test.h"

static sqlite3 *empty_trace(void)
{
	_cleanup_free_ char *why = NULL;
	sqlite3 *db = NULL;

	if (db_open_temp(&db, &why) != 0)
		test_fail(__FILE__, __LINE__, "%s", why);
	return db;
}

TEST(query_number_of_no_row_and_of_an_error)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	sqlite3 *db = empty_trace();

	ASSERT_INT(query_number(db, "SELECT 7", 0, -1, &why), 7);
	ASSERT_INT(query_number(db, "SELECT id FROM process", 0, -1, &why), -1);
	ASSERT_INT(query_failed(0, &why), 0);
	ASSERT_INT(query_number(db, "SELECT x FROM nowhere", 0, -1, &why), -1);
	ASSERT_INT(query_failed(0, &why), -EIO);
	(void)sqlite3_close(db);
}

TEST(query_keeps_the_first_error)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	sqlite3 *db = empty_trace();

	ASSERT_INT(query_open(db, "SELECT", &stmt, &why), -EIO);
	ASSERT_INT(query_exec(db, "DROP TABLE nowhere", &why), -EIO);
	ASSERT_STR(why.data, "incomplete input");
	(void)sqlite3_close(db);
}

TEST(query_step_says_what_failed)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	sqlite3 *db = empty_trace();

	ASSERT_INT(query_open(db, "SELECT json('{')", &stmt, &why), 0);
	ASSERT_INT(query_step(stmt, &why), -EIO);
	ASSERT_STR(why.data, "malformed JSON");
	query_cleanup(&stmt);
	(void)sqlite3_close(db);
}

TEST(query_select_all_quotes_the_name)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	_cleanup_free_ char *sql = NULL;
	char *none = NULL;
	sqlite3 *db = empty_trace();

	ASSERT_INT(query_exec(db, "CREATE TABLE \"a\"\"b\" (x)", &why), 0);
	ASSERT_INT(query_select_all(db, "a\"b", &sql, &why), 0);
	ASSERT_STR(sql, "SELECT * FROM \"a\"\"b\"");
	ASSERT_INT(query_exec(db, sql, &why), 0);
	ASSERT_INT(query_select_all(db, "nowhere", &none, &why), 0);
	ASSERT(!none);
	(void)sqlite3_close(db);
}
