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
	db_close(db);
}

TEST(query_keeps_the_first_error)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	sqlite3 *db = empty_trace();

	ASSERT_INT(query_open(db, "SELECT", &stmt, &why), -EIO);
	ASSERT_INT(query_exec(db, "DROP TABLE nowhere", &why), -EIO);
	ASSERT_STR(why.data, "incomplete input");
	db_close(db);
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
	db_close(db);
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
	db_close(db);
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
	db_close(db);
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
	db_close(db);
}

/* ---- Statements that are kept ---- */

static size_t count(sqlite3 *db)
{
	size_t n = 0;

	for (sqlite3_stmt *s = NULL; (s = sqlite3_next_stmt(db, s));)
		n++;
	return n;
}

TEST(query_statements_begin_anew)
{
	static const char sql[] =
		"SELECT value FROM (SELECT 1 AS value UNION ALL SELECT 2) WHERE ?1 IS NULL OR value = ?1";
	_cleanup_buf_ struct buf why = BUF_INIT;
	sqlite3 *db = empty_trace();
	sqlite3_stmt *first = NULL, *kept, *again = NULL, *beside = NULL;

	ASSERT_INT(query_one(db, sql, 2, &first, &why), 1);
	ASSERT_INT(query_int(first, 0, 0), 2);
	/* One that is in use is nobody else's. */
	ASSERT_INT(query_one(db, sql, 1, &beside, &why), 1);
	ASSERT(beside != first);
	kept = first;
	query_cleanup(&kept);
	/* Nothing is bound any more, and the rows come from the first on. */
	ASSERT_INT(query_open(db, sql, &again, &why), 0);
	ASSERT(again == first);
	ASSERT_INT(query_step(again, &why), 1);
	ASSERT_INT(query_int(again, 0, 0), 1);
	ASSERT_INT(query_int(beside, 0, 0), 1);
	query_cleanup(&again);
	query_cleanup(&beside);
	ASSERT_INT((int64_t)why.len, 0);
	db_close(db);
}

TEST(query_statements_see_what_has_changed)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	sqlite3 *db = empty_trace();

	ASSERT_INT(query_exec(db, "CREATE TABLE a (x); INSERT INTO a VALUES (7)", &why), 0);
	ASSERT_INT(query_number(db, "SELECT x FROM a", 0, -1, &why), 7);
	ASSERT_INT(
		query_exec(db, "DROP TABLE a; CREATE TABLE a (y, x); INSERT INTO a VALUES (1, 8)",
			&why),
		0);
	ASSERT_INT(query_number(db, "SELECT x FROM a", 0, -1, &why), 8);
	ASSERT_INT(query_exec(db, "DROP TABLE a", &why), 0);
	ASSERT_INT(query_number(db, "SELECT x FROM a", 0, -1, &why), -1);
	ASSERT_INT(query_failed(0, &why), -EIO);
	db_close(db);
}

/* What acts while it is prepared, or changes something, is never kept; and of the rest not too many are. */
TEST(query_statements_that_are_kept_are_queries)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	sqlite3 *db = empty_trace();

	query_forget(db);
	for (int i = 0; i < 3; i++) {
		_cleanup_stmt_ sqlite3_stmt *stmt = NULL;

		ASSERT_INT(query_open(db, i ? "PRAGMA user_version" : "DELETE FROM process", &stmt,
				   &why),
			0);
	}
	ASSERT_INT((int64_t)count(db), 0);
	for (int i = 0; i < 1000; i++) {
		_cleanup_free_ char *sql = xasprintf("SELECT %d", i);

		ASSERT_INT(query_number(db, sql, 0, -1, &why), i);
	}
	ASSERT((int64_t)count(db) > 0 && (int64_t)count(db) <= 64);
	db_close(db);
}
