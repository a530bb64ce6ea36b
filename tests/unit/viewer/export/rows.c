/* rows.c - rows as tables, CSV and JSON, with hostile values. */
/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/db.h"
#include "tests/unit/test.h"
#include "viewer/export/rows.h"

/* Runs the SQL and returns all of its output; the caller frees it. */
static char *export(const char *sql, enum export_format format, bool printable)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct export_rows *e;
	sqlite3_stmt *st;
	sqlite3 *db;
	int rc;

	ASSERT_INT(sqlite3_open(":memory:", &db), SQLITE_OK);
	ASSERT_INT(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	e = export_rows_new(st, format, printable);
	while ((rc = export_rows_next(e, &out)) > 0)
		continue;
	export_rows_free(e);
	sqlite3_finalize(st);
	db_close(db);
	return rc < 0 ? xstrdup("error") : buf_steal(&out);
}

#define ASSERT_EXPORT(sql, format, want)                                                           \
	do {                                                                                       \
		_cleanup_free_ char *got_text_ = export(sql, format, false);                       \
		ASSERT_STR(got_text_, want);                                                       \
	} while (0)

TEST(table_aligns_numbers_right)
{
	ASSERT_EXPORT("SELECT 1 AS n, 'abc' AS text UNION ALL SELECT 1000, NULL", EXPORT_TABLE,
		"   n  text\n"
		"----  ----\n"
		"   1  abc\n"
		"1000  \n");
}

TEST(table_without_rows_has_its_names)
{
	ASSERT_EXPORT("SELECT 1 AS n WHERE 0", EXPORT_TABLE, "n\n-\n");
}

TEST(table_escapes_what_a_terminal_could_act_on)
{
	ASSERT_EXPORT("SELECT 'a' || char(27) || '[31m' || char(10) || 'b' AS x, x'ff00' AS y",
		EXPORT_TABLE,
		"x             y\n"
		"------------  --------\n"
		"a\\x1b[31m\\nb  \\xff\\x00\n");
}

TEST(table_counts_characters_not_bytes)
{
	ASSERT_EXPORT("SELECT 'é' AS a, 'x' AS b UNION ALL SELECT 'ee', 'y'", EXPORT_TABLE,
		"a   b\n--  -\né   x\nee  y\n");
}

TEST(table_goes_on_after_its_sample)
{
	_cleanup_free_ char *got = export(
		"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 2000)"
		" SELECT n FROM c",
		EXPORT_TABLE, false);
	size_t lines = 0;

	for (const char *p = got; *p; p++)
		lines += *p == '\n';
	ASSERT_INT(lines, 2002);
	ASSERT(strstr(got, "\n1999\n2000\n"));
}

TEST(csv_quotes_only_where_it_must)
{
	ASSERT_EXPORT("SELECT 'a,b' AS \"x,y\", 'say \"hi\"' AS q, 1.5 AS r, NULL AS n,"
		      " 'two' || char(10) || 'lines' AS l",
		EXPORT_CSV, "\"x,y\",q,r,n,l\n\"a,b\",\"say \"\"hi\"\"\",1.5,,\"two\nlines\"\n");
}

TEST(csv_on_a_terminal_is_printable)
{
	_cleanup_free_ char *got = export("SELECT char(27) || '[2J' AS x", EXPORT_CSV, true);

	ASSERT_STR(got, "x\n\\x1b[2J\n");
}

TEST(json_is_valid_whatever_is_in_it)
{
	_cleanup_free_ char *got =
		export("SELECT 'a\"\\' || char(10, 27, 127) AS t, x'ff61' AS b, -1 AS i, NULL AS n,"
		       " 1e999 AS inf UNION ALL SELECT '', '', 0, 0, 0.1",
			EXPORT_JSON, false);
	json_t *root = json_loads(got, 0, NULL), *row = json_array_get(root, 0);

	ASSERT_INT(json_array_size(root), 2);
	ASSERT_STR(json_string_value(json_object_get(row, "t")), "a\"\\\n\033\177");
	ASSERT_STR(json_string_value(json_object_get(row, "b")), "\357\277\275a");
	ASSERT_INT(json_integer_value(json_object_get(row, "i")), -1);
	ASSERT(json_is_null(json_object_get(row, "n")));
	ASSERT(json_is_null(json_object_get(row, "inf")));
	ASSERT(json_real_value(json_object_get(json_array_get(root, 1), "inf")) == 0.1);
	json_decref(root);
}

TEST(json_of_no_rows_is_an_empty_array)
{
	ASSERT_EXPORT("SELECT 1 WHERE 0", EXPORT_JSON, "[]\n");
}

TEST(jsonl_is_one_object_a_line)
{
	ASSERT_EXPORT("SELECT 1 AS a UNION ALL SELECT 2", EXPORT_JSONL, "{\"a\":1}\n{\"a\":2}\n");
}

TEST(an_error_while_it_runs_is_told)
{
	ASSERT_EXPORT("SELECT abs(-9223372036854775807 - 1)", EXPORT_TABLE, "error");
	ASSERT_EXPORT("SELECT abs(-9223372036854775807 - 1)", EXPORT_JSONL, "error");
}
