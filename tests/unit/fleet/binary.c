/* binary.c - rows as bytes and back, and bytes that are none. */
/* SPDX-License-Identifier: MIT */
#include "fleet/private.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/db.h"
#include "schema/query.h"
#include "tests/unit/test.h"

static const struct column columns[] = {{.name = (char *)"n", .type = COLUMN_NUMBER},
	{.name = (char *)"m", .type = COLUMN_NUMBER, .nullable = true},
	{.name = (char *)"t", .type = COLUMN_TEXT, .nullable = true},
	{.name = (char *)"b", .type = COLUMN_BYTES, .nullable = true}};

static struct sqlite3 *open_memory(void)
{
	struct sqlite3 *db = NULL;

	ASSERT_INT(sqlite3_open(":memory:", &db), SQLITE_OK);
	ASSERT_INT(
		sqlite3_exec(db,
			"CREATE TABLE x (n, m, t, b); INSERT INTO x VALUES"
			" (-5, NULL, 'it''s' || char(10), x'00ff'), (9223372036854775807, 0, '', NULL),"
			" (1, 2, printf('%.*c', 300, 'y'), zeroblob(70000))",
			NULL, NULL, NULL),
		SQLITE_OK);
	return db;
}

static void encode(struct sqlite3 *db, struct buf *rows)
{
	_cleanup_stmt_ sqlite3_stmt *row = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	int rc = query_one(db, "SELECT * FROM x ORDER BY rowid", 0, &row, &why);

	for (; rc > 0; rc = query_step(row, &why))
		for (int i = 0; i < 4; i++)
			binary_add_value(rows, &columns[i], row, i);
	ASSERT_INT(rc, 0);
}

TEST(binary_rows_come_back_as_they_were)
{
	struct sqlite3 *db = open_memory();
	_cleanup_buf_ struct buf rows = BUF_INIT, again = BUF_INIT, why = BUF_INIT;
	struct binary_reader r;
	sqlite3_stmt *insert = NULL;

	encode(db, &rows);
	ASSERT_INT(query_exec(db, "DELETE FROM x", &why), 0);
	ASSERT_INT(query_open(db, "INSERT INTO x VALUES (?1, ?2, ?3, ?4)", &insert, &why), 0);
	r = (struct binary_reader){rows.data, rows.data + rows.len, false};
	while (r.at < r.end && !r.bad) {
		for (int i = 0; i < 4; i++)
			binary_bind(&r, &columns[i], insert, i + 1);
		ASSERT_INT(query_run(insert, &why), 0);
	}
	ASSERT(!r.bad);
	encode(db, &again);
	ASSERT(again.len == rows.len && !memcmp(again.data, rows.data, rows.len));
	query_cleanup(&insert);
	db_close(db);
}

/* Whatever is cut off is found to be, and nothing behind the end is read. */
TEST(binary_rows_that_are_cut)
{
	struct sqlite3 *db = open_memory();
	_cleanup_buf_ struct buf rows = BUF_INIT;
	_cleanup_buf_ struct buf why = BUF_INIT;
	sqlite3_stmt *insert = NULL;

	encode(db, &rows);
	ASSERT_INT(query_open(db, "SELECT ?1, ?2, ?3, ?4", &insert, &why), 0);
	for (size_t len = 0; len < 24; len++) {
		_cleanup_free_ char *copy = xmalloc(len + 1);
		struct binary_reader r = {copy, copy + len, false};

		for (size_t i = 0; i < len; i++)
			copy[i] = rows.data[i];
		for (int i = 0; i < 4; i++)
			binary_bind(&r, &columns[i], insert, i + 1);
		ASSERT(r.bad == (len < 8 + 1 + 1 + 1 + 5 + 1 + 1 + 2));
	}
	query_cleanup(&insert);
	db_close(db);
}

TEST(binary_texts_of_any_length)
{
	static const char nonsense[] = "\xff\xff\xff\xff\xff\xff\xff\xff\x7fhere";
	struct binary_reader r = {nonsense, nonsense + sizeof nonsense - 1, false};
	size_t len = 1;

	ASSERT_STR(binary_text(&r, &len), "");
	ASSERT(r.bad && !len);
}
