/* recording.c - hand-made recordings for tests of the viewer. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/viewer/recording.h"

#include "base/mem.h"
#include "schema/db.h"
#include "tests/unit/test.h"
#include "viewer/load/load.h"

sqlite3 *recording_of(const char *sql)
{
	sqlite3 *db = NULL;

	ASSERT_INT(sqlite3_open(":memory:", &db), SQLITE_OK);
	ASSERT_INT(sqlite3_exec(db, db_schema_sql, NULL, NULL, NULL), SQLITE_OK);
	ASSERT_INT(sqlite3_exec(db, db_views_sql, NULL, NULL, NULL), SQLITE_OK);
	ASSERT_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	return db;
}

struct trace *recording_load(sqlite3 *db)
{
	_cleanup_free_ char *why = NULL;
	struct trace *t = trace_load(db, &why);

	ASSERT_STR(why, NULL);
	return t;
}
