/* asked.c - tests of servers that ask themselves: main asks under a lock, which the thread that has read the question wants. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/fixture.h"
#include "tests/unit/test.h"

#define EXPECT EXPECT_STUCK

/* Main asks and 11 has read it; 12 accepts connections. All wait since 1 s. */
static sqlite3 *asked(void)
{
	sqlite3 *db = fixture_program(2);

	fixture_held(db, 1, "mutex", 1, 10);
	fixture_pipe(db, 1, "listen");
	fixture_pipe(db, 2, "tcp");
	fixture_sql(db, "UPDATE pipe SET inode2 = 950, outside = 0, listener_id = 1 WHERE id = 2");
	for (int side = 0; side < 2; side++)
		fixture_sql(db,
			"INSERT INTO pipe_end (pipe_id, process_id, fd, mode, side, open_ns)"
			" VALUES (2, 1, %d, 'rw', %d, 5)",
			3 + side, side);
	fixture_sql(db,
		"INSERT INTO pipe_io (pipe_id, thread_id, op, side, bytes, start_ns, end_ns) VALUES"
		" (2, 10, 'write', 0, 7, 900000000, 900000001),"
		" (2, 11, 'read', 1, 4, 900000002, 900000003), (2, 11, 'read', 1, 3, 900000004, 900000005)");
	fixture_wait(db, 10, "pipe-read", "pipe_id=2, side=0");
	fixture_wait(db, 11, "lock", "lock_id=1");
	fixture_wait(db, 12, "socket", "syscall='accept'");
	return db;
}

/* One more thread of the server. */
static void add_thread(sqlite3 *db)
{
	fixture_sql(db,
		"INSERT INTO thread (id, tid, process_id, creator_id, start_ns) VALUES (13, 2013, 1, 10, 103)");
}

/* A thread in a wait that ends by itself, begun then. */
static sqlite3 *beside(int64_t start_ns)
{
	sqlite3 *db = asked();

	add_thread(db);
	fixture_wait(db, 13, "cond", "timed=1");
	fixture_sql(db, "UPDATE wait SET start_ns = %lld WHERE id = 13", (long long)start_ns);
	return db;
}

TEST(asked_under_lock)
{
	EXPECT(asked(), "stuck cycle 10 11");
}

/* Who listens may poll, with a time-out, too. */
TEST(asked_beside_poll)
{
	sqlite3 *db = asked();

	fixture_sql(db, "UPDATE wait SET reason = 'poll', timed = 1 WHERE id = 12");
	fixture_sql(db, "INSERT INTO wait_on (wait_id, ordinal, fd, kind, mode, pipe_id, side)"
			" VALUES (12, 0, 9, 'socket', 'r', 1, 0)");
	EXPECT(db, "stuck cycle 10 11");
}

/* Somebody else of the server runs, or has begun to wait since: the question may be with him. */
TEST(asked_beside_others)
{
	sqlite3 *db = asked();

	fixture_sql(db, "DELETE FROM wait WHERE id = 12");
	EXPECT(db, "");
	db = asked();
	fixture_sql(db, "UPDATE wait SET reason = 'sleep', syscall = NULL WHERE id = 12");
	EXPECT(db, "");
	EXPECT(beside(950000000), "");
	EXPECT(beside(800000000), "stuck cycle 10 11");
}

/* A worker waits for a process that has slept since before: that one was not handed the question, but it helps who was. */
TEST(asked_beside_relay)
{
	sqlite3 *db = asked();

	fixture_process(db, 2, 1);
	fixture_wait(db, 20, "sleep", "start_ns=500000000");
	add_thread(db);
	fixture_joined(db, 3, "pipe", 2, "w", 1, "r");
	fixture_wait(db, 13, "pipe-read", "pipe_id=3");
	EXPECT(db, "");
}

/* Something is unread, or another one has read it: that one answers, or whoever reads it. */
TEST(asked_another)
{
	sqlite3 *db = asked();

	fixture_sql(db, "UPDATE pipe_io SET thread_id = 12 WHERE id = 3");
	EXPECT(db, "");
	db = asked();
	fixture_sql(db, "DELETE FROM pipe_io WHERE id = 3");
	EXPECT(db, "");
	db = asked();
	fixture_sql(db, "DELETE FROM pipe_io");
	EXPECT(db, "");
	/* An answer that has been sent is on its way. */
	db = asked();
	fixture_sql(db,
		"INSERT INTO pipe_io (pipe_id, thread_id, op, side, bytes, start_ns, end_ns)"
		" VALUES (2, 11, 'write', 1, 1, 900000006, 900000007)");
	EXPECT(db, "");
}

/* Somebody outside may have the other side, or main may stop waiting. */
TEST(asked_for_a_while)
{
	sqlite3 *db = asked();

	fixture_sql(db, "UPDATE pipe SET outside = 3 WHERE id = 2");
	EXPECT(db, "");
	db = asked();
	fixture_sql(db, "UPDATE wait SET timed = 1 WHERE id = 10");
	EXPECT(db, "");
}

/* A snapshot knows nothing of what was read; who polls anything beside the socket that listens may answer by that. */
static sqlite3 *asked_in_snapshot(void)
{
	sqlite3 *db = asked();

	fixture_sql(db, "UPDATE trace SET backend = 'snapshot'");
	fixture_sql(db, "DELETE FROM pipe_io");
	return db;
}

TEST(asked_snapshot)
{
	sqlite3 *db = asked_in_snapshot();

	EXPECT(db, "stuck cycle 10 11");
	db = asked_in_snapshot();
	fixture_sql(db, "UPDATE wait SET reason = 'poll', timed = 1 WHERE id = 12");
	fixture_sql(db,
		"INSERT INTO wait_on (wait_id, ordinal, fd, kind, mode, pipe_id, side)"
		" VALUES (12, 0, 9, 'socket', 'r', 1, 0), (12, 1, 8, 'eventfd', 'r', NULL, NULL)");
	EXPECT(db, "stuck cycle 10 11");
	db = asked_in_snapshot();
	fixture_sql(db, "UPDATE wait SET reason = 'poll', timed = 1 WHERE id = 12");
	fixture_sql(db,
		"INSERT INTO wait_on (wait_id, ordinal, fd, kind, mode, pipe_id, side)"
		" VALUES (12, 0, 9, 'socket', 'r', 1, 0), (12, 1, 8, 'socket', 'r', NULL, NULL)");
	EXPECT(db, "");
	/* Whoever can go on may have been handed the question, whenever he began to wait. */
	db = asked_in_snapshot();
	add_thread(db);
	fixture_wait(db, 13, "cond", "timed=1");
	fixture_sql(db, "UPDATE wait SET start_ns = 800000000 WHERE id = 13");
	EXPECT(db, "");
}

/* A lock that does not say who has it: the one who asks, if nobody else does. */
TEST(asked_ownerless)
{
	for (int others = 0; others < 2; others++) {
		sqlite3 *db = asked_in_snapshot();

		fixture_sql(db, "UPDATE wait SET reason = 'sem' WHERE id = 11");
		fixture_sql(db, "DELETE FROM lock_open");
		fixture_sql(
			db, "UPDATE lock SET kind = 'sem', type = 'threading.Lock' WHERE id = 1");
		if (others) {
			add_thread(db);
			fixture_wait(db, 13, "pipe-read", "pipe_id=2, side=0");
		}
		EXPECT(db, others ? "" : "stuck cycle 10 11");
	}
}
