/* naming.c - tests of the names of pipes: of whom who waits for one is told. */
/* SPDX-License-Identifier: MIT */
#include "verdict/naming.h"

#include "base/buf.h"
#include "schema/db.h"
#include "tests/unit/fixture.h"
#include "tests/unit/test.h"

#include <sqlite3.h>

static void expect_pipe(sqlite3 *db, const char *wanted)
{
	struct buf name = BUF_INIT;

	naming_pipe(&name, db, 1);
	ASSERT_STR(name.data, wanted);
	buf_done(&name);
	db_close(db);
}

/* Two processes that both hold both ends: nobody closed any. */
static sqlite3 *shared(const char *name)
{
	sqlite3 *db = fixture_family();

	fixture_joined(db, 1, "pipe", 1, "rw", 2, "rw");
	fixture_sql(db, "UPDATE pipe SET name = '%s'", name);
	return db;
}

TEST(naming_writer_of_shared_pipe)
{
	sqlite3 *db = shared("pipe 1 (? -> p1)");

	fixture_wait(db, 10, "pipe-read", "pipe_id = 1");
	expect_pipe(db, "pipe 1 (p2 -> p1)");
}

TEST(naming_reader_of_shared_pipe)
{
	sqlite3 *db = shared("pipe 1 (p1 -> ?)");

	fixture_wait(db, 10, "pipe-write", "pipe_id = 1");
	expect_pipe(db, "pipe 1 (p1 -> p2)");
}

/* Who could write is not known where two others could. */
TEST(naming_writers_of_shared_pipe)
{
	sqlite3 *db = shared("pipe 1 (? -> p1)");

	fixture_process(db, 3, 1);
	fixture_end(db, 1, 3, "rw");
	fixture_wait(db, 10, "pipe-read", "pipe_id = 1");
	expect_pipe(db, "pipe 1 (? -> p1)");
}

/* It can only be who waits itself. */
TEST(naming_reader_of_own_pipe)
{
	sqlite3 *db = fixture_program(0);

	fixture_own_pipe(db, 1, 1);
	fixture_sql(db, "UPDATE pipe SET name = 'pipe 1 (p1 -> ?)'");
	fixture_wait(db, 10, "pipe-write", "pipe_id = 1");
	expect_pipe(db, "pipe 1 (p1 -> p1)");
}

/* Who used an end first may have executed another program since, which is the one that is there. */
TEST(naming_program_of_now)
{
	sqlite3 *db = fixture_family();

	fixture_joined(db, 1, "pipe", 1, "w", 2, "r");
	fixture_sql(db, "UPDATE pipe SET name = 'pipe 1 (bash -> p2)'");
	expect_pipe(db, "pipe 1 (p1 -> p2)");
}

/* A child that has inherited both sides of a pair: of one side nobody but it is left. */
TEST(naming_side_held_by_who_has_both)
{
	for (int same = 0; same < 2; same++) {
		sqlite3 *db = fixture_family();

		fixture_joined(db, 1, "socketpair", 1, "rw", 2, "rw");
		fixture_sql(db, "UPDATE pipe_end SET side = process_id - 1");
		fixture_sql(db,
			"INSERT INTO pipe_end (id, pipe_id, process_id, fd, mode, side, open_ns)"
			" SELECT 90, 1, 2, 9, 'rw', side, 5 FROM pipe_end WHERE process_id = 1");
		fixture_sql(db, "UPDATE process SET name = 'p2'");
		if (!same)
			fixture_sql(db, "UPDATE process SET name = 'p1' WHERE id = 1");
		expect_pipe(db, same ? "socketpair 1 (p2 <-> p2)" : "socketpair 1 (p1 <-> p2)");
	}
}
