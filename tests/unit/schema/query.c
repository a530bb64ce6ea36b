/* query.c - an error of SQLite's is never taken for "no row". */
/* SPDX-License-Identifier: MIT */
#include "schema/query.h"

#include <errno.h>
#include <string.h>

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

static char *value_of(const char *sql)
{
	_cleanup_buf_ struct buf out = BUF_INIT, why = BUF_INIT;
	sqlite3_stmt *st = NULL;
	sqlite3 *db;

	ASSERT_INT(sqlite3_open(":memory:", &db), SQLITE_OK);
	ASSERT_INT(query_one(db, sql, 0, &st, &why), 1);
	query_json(&out, st, 0, sqlite3_column_name(st, 0));
	(void)sqlite3_finalize(st);
	(void)sqlite3_close(db);
	return buf_steal(&out);
}

#define ASSERT_VALUE(sql, want)                                                                    \
	do {                                                                                       \
		_cleanup_free_ char *got_text_ = value_of(sql);                                    \
		ASSERT_STR(got_text_, want);                                                       \
	} while (0)

TEST(query_json_of_plain_columns)
{
	ASSERT_VALUE("SELECT NULL AS argv", "null");
	ASSERT_VALUE("SELECT 5 AS n", "5");
	ASSERT_VALUE("SELECT 0.5 AS n", "0.5");
	ASSERT_VALUE("SELECT 9e999 AS n", "null");
	ASSERT_VALUE("SELECT '[1]' AS name", "\"[1]\"");
	ASSERT_VALUE("SELECT x'ff' AS data", "\"\xef\xbf\xbd\"");
}

TEST(query_json_embeds_columns_that_are_json)
{
	ASSERT_VALUE("SELECT '[\"a\", \"b\\\"c\"]' AS argv", "[\"a\",\"b\\\"c\"]");
	ASSERT_VALUE("SELECT '{\"data\":\n32}' AS options", "{\"data\":32}");
	ASSERT_VALUE("SELECT '[]' AS blind_spots", "[]");
}

TEST(query_json_leaves_as_string_what_is_no_json)
{
	ASSERT_VALUE("SELECT '[1' AS argv", "\"[1\"");
	ASSERT_VALUE("SELECT '7' AS command", "\"7\"");
	ASSERT_VALUE("SELECT '[1] ]' AS argv", "\"[1] ]\"");
}

TEST(query_json_survives_what_nests_deeply)
{
	_cleanup_free_ char *text =
		value_of("SELECT replace(printf('%.*c', 100000, 'x'), 'x', '[') AS argv");

	ASSERT_INT((long long)strlen(text), 100002);
	ASSERT_INT(text[0], '"');
}

/* Verdicts name one thread after the other: each by its key, however many there are. */
TEST(query_of_one_thread_name_reads_no_table)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	sqlite3 *db = empty_trace();
	int rc = query_one(db,
		"EXPLAIN QUERY PLAN SELECT name FROM thread_name WHERE thread_id = ?1", 1, &stmt,
		&why);

	ASSERT(rc > 0);
	for (; rc > 0; rc = query_step(stmt, &why))
		if (strstr(query_text(stmt, 3), "SCAN"))
			test_fail(__FILE__, __LINE__, "%s", query_text(stmt, 3));
	query_cleanup(&stmt);
	stmt = NULL;
	(void)sqlite3_close(db);
}
