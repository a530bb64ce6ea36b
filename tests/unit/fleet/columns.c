/* columns.c - what the columns of schema.sql are taken for. */
/* SPDX-License-Identifier: MIT */
#include "fleet/columns.h"

#include "base/buf.h"
#include "base/mem.h"
#include "tests/unit/test.h"

static const struct column *column(const struct table *t, const char *name)
{
	for (size_t i = 0; t && i < t->n; i++)
		if (!strcmp(t->columns[i].name, name))
			return &t->columns[i];
	test_fail(__FILE__, __LINE__, "no column %s", name);
}

TEST(columns_of_the_schema)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	const struct table *wait, *edge, *open, *hold;
	struct tables t;

	ASSERT_INT(columns_load(&t, &why), 0);
	wait = columns_table(&t, "wait");
	edge = columns_table(&t, "lock_edge");
	open = columns_table(&t, "lock_open");
	hold = columns_table(&t, "lock_hold");
	ASSERT(wait && edge && open && hold && !columns_table(&t, "sqlite_master"));
	ASSERT(!wait->rowid && open->rowid);
	ASSERT(column(wait, "id")->is_key && !column(wait, "id")->nullable);
	ASSERT(column(wait, "end_ns")->nullable && !column(wait, "start_ns")->nullable);
	ASSERT_INT(column(wait, "end_ns")->meaning, COLUMN_MOMENT);
	ASSERT_INT(column(wait, "waker_id")->meaning, COLUMN_ID);
	ASSERT_INT(column(wait, "reason")->type, COLUMN_TEXT);
	ASSERT_INT(column(wait, "target_pgid")->meaning, COLUMN_PLAIN);
	ASSERT_INT(column(edge, "gates")->meaning, COLUMN_IDS);
	ASSERT_INT(column(columns_table(&t, "trace"), "duration_ns")->meaning, COLUMN_PLAIN);
	ASSERT_INT(column(columns_table(&t, "pipe_io"), "data")->type, COLUMN_BYTES);
	ASSERT_STR(wait->open_end, "end_ns");
	ASSERT_STR(hold->open_end, "release_ns");
	ASSERT(column(hold, hold->open_end)->nullable && !open->open_end);
	columns_done(&t);
}
