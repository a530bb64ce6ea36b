/* queries.c - every named question and every view can be asked of an empty trace. */
/* SPDX-License-Identifier: MIT */
#include "schema/queries/queries.h"

#include <errno.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/db.h"
#include "tests/unit/test.h"
#include "viewer/path/path.h"

static sqlite3 *empty_trace(void)
{
	_cleanup_free_ char *why = NULL;
	sqlite3 *db = NULL;

	if (db_open_temp(&db, &why) != 0)
		test_fail(__FILE__, __LINE__, "%s", why);
	return db;
}

static void ask(sqlite3 *db, const char *name, const char *sql)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		test_fail(__FILE__, __LINE__, "%s: %s", name, sqlite3_errmsg(db));
	if (!sqlite3_stmt_readonly(st))
		test_fail(__FILE__, __LINE__, "%s writes", name);
	while (sqlite3_step(st) == SQLITE_ROW)
		continue;
	if (sqlite3_finalize(st) != SQLITE_OK)
		test_fail(__FILE__, __LINE__, "%s: %s", name, sqlite3_errmsg(db));
}

TEST(named_questions_can_be_asked)
{
	sqlite3 *db = empty_trace();
	struct query q;
	int n = 0;

	ASSERT_INT(path_register(db), 0);
	ASSERT_INT(sqlite3_exec(
			   db, "INSERT INTO trace(id, command) VALUES (1, '[]')", NULL, NULL, NULL),
		SQLITE_OK);
	for (size_t pos = 0; query_next(&pos, &q); query_done(&q), n++) {
		ask(db, q.name, q.sql);
		if (strlen(q.about) < 10)
			test_fail(__FILE__, __LINE__, "%s does not say what it answers", q.name);
	}
	ASSERT(n >= 10);
	db_close(db);
}

TEST(views_can_be_asked)
{
	sqlite3 *db = empty_trace();
	struct query q;
	int n = 0;

	for (size_t pos = 0; query_next_view(&pos, &q); query_done(&q), n++) {
		_cleanup_free_ char *sql = xasprintf("SELECT * FROM %s", q.name);

		ask(db, q.name, sql);
		if (strlen(q.about) < 10)
			test_fail(__FILE__, __LINE__, "%s does not say what a row is", q.name);
	}
	ASSERT(n >= 9);
	db_close(db);
}

TEST(a_question_is_found_with_dashes_too)
{
	struct query q;

	ASSERT_INT(query_find("wait-reasons", &q), 0);
	ASSERT_STR(q.name, "wait_reasons");
	query_done(&q);
	ASSERT_INT(query_find("wait", &q), -ENOENT);
	ASSERT_INT(query_find("", &q), -ENOENT);
}
