/* version.c - numbers of versions, and the columns that they added. */
/* SPDX-License-Identifier: MIT */
#include "schema/version.h"

#include <sqlite3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/db.h"
#include "tests/unit/test.h"

TEST(version_parts_of_a_number)
{
	ASSERT_INT(version_major(1), 1);
	ASSERT_INT(version_minor(1), 0);
	ASSERT_INT(version_major(99), 99);
	ASSERT_INT(version_major(1000), 1);
	ASSERT_INT(version_minor(1012), 12);
	ASSERT_INT(version_major(2000), 2);
	ASSERT_INT(version_major(VERSION_NUMBER), VERSION_MAJOR);
	ASSERT_INT(version_minor(VERSION_NUMBER), VERSION_MINOR);
}

TEST(version_explains_what_came_later)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	sqlite3 *db = NULL;

	ASSERT_INT(sqlite3_open(":memory:", &db), SQLITE_OK);
	ASSERT_INT(sqlite3_exec(
			   db, "CREATE TABLE wait (id); PRAGMA user_version = 1", NULL, NULL, NULL),
		SQLITE_OK);
	ASSERT_INT(version_explain(db, "w.stack_id", &out), 1);
	ASSERT_STR(out.data,
		"an older pptrace made the recording: its format is 1.0, and wait.stack_id came "
		"with 1.1; record it again");
	buf_reset(&out);
	ASSERT_INT(version_explain(db, "frame", &out), 1);
	buf_reset(&out);
	ASSERT_INT(version_explain(db, "nowhere", &out), 0);
	ASSERT_STR(out.data, "");
	db_close(db);
}

TEST(version_of_a_whole_file_lacks_nothing)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	_cleanup_free_ char *why = NULL;
	sqlite3 *db = NULL;

	ASSERT_INT(db_open_temp(&db, &why), 0);
	ASSERT_INT(version_explain(db, "w.stack_id", &out), 0);
	ASSERT_INT(version_explain(db, "frame", &out), 0);
	db_close(db);
}
