/* remedy.c - tests of the remedies: each must fit what its members wait for. */
/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/mem.h"
#include "schema/db.h"
#include "tests/unit/fixture.h"
#include "tests/unit/test.h"
#include "verdict/verdict.h"

/* The first words of the remedy of the only finding, up to its first comma, colon or full stop; closes the recording. */
static char *remedy_of(sqlite3 *db)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct findings f = {0};
	const char *remedy;
	char *words;

	ASSERT_INT(verdict_stuck(db, INT64_MAX, false, &f, &why), 0);
	ASSERT_INT((long long)f.n, 1);
	remedy = f.list[0].remedy;
	words = xstrndup(remedy, strcspn(remedy, ",:."));
	findings_free(&f);
	db_close(db);
	return words;
}

#define EXPECT_REMEDY(db, wanted)                                                                  \
	do {                                                                                       \
		_cleanup_free_ char *words = remedy_of(db);                                        \
		ASSERT_STR(words, wanted);                                                         \
	} while (0)

TEST(remedy_full_pipe_of_its_writer)
{
	sqlite3 *db = fixture_program(0);

	fixture_own_pipe(db, 1, 1);
	fixture_wait(db, 10, "pipe-write", "pipe_id=1");
	EXPECT_REMEDY(db, "Nobody else reads what is written there");
}

/* Two processes that poll each other's end by pidfds: there is no pipe to close. */
TEST(remedy_ends_polled_crosswise)
{
	sqlite3 *db = fixture_family();

	fixture_wait(db, 10, "poll", "id = 1");
	fixture_wait(db, 20, "poll", "id = 2");
	fixture_sql(db, "INSERT INTO wait_on (wait_id, ordinal, fd, kind, process_id)"
			" VALUES (1, 0, 3, 'process', 2), (2, 0, 3, 'process', 1)");
	EXPECT_REMEDY(db, "Let one of them end without waiting for the end of the other");
}

/* A signal that comes just before pause is missed; sigsuspend lets it in itself. */
TEST(remedy_child_that_ended_before)
{
	for (int suspends = 0; suspends < 2; suspends++) {
		sqlite3 *db = fixture_program(0);

		fixture_process(db, 2, 1);
		fixture_handler(db, 1, 17);
		fixture_sql(db, "UPDATE thread SET end_ns = 900000000 WHERE process_id = 2");
		fixture_sql(db,
			"UPDATE process SET end_ns = 900000000, end_kind = 'exit', exit_code = 0 WHERE id = 2");
		fixture_wait(db, 10, "signal",
			suspends ? "syscall = 'rt_sigsuspend'" : "syscall = 'pause'");
		EXPECT_REMEDY(
			db, suspends ? "In the handler of SIGCHLD reap all children that have ended"
				     : "Block SIGCHLD before testing whether to wait");
	}
}

/* Two who both read under a lock and ask for it to write; where only waits are recorded nobody was seen to have it. */
TEST(remedy_rwlock_of_unseen_readers)
{
	sqlite3 *db = fixture_program(1);

	fixture_lock(db, 1, "rwlock", 1);
	fixture_wait(db, 10, "lock", "lock_id=1, mode='x'");
	fixture_wait(db, 11, "lock", "lock_id=1, mode='x'");
	EXPECT_REMEDY(db, "Do not ask for the write lock while holding the same lock for reading");
}

/* One of a thread that others only join: nobody is known to hold what could be released. */
TEST(remedy_rwlock_of_joined_thread)
{
	sqlite3 *db = fixture_program(1);

	fixture_lock(db, 1, "rwlock", 1);
	fixture_wait(db, 10, "join", "target_thread_id=11");
	fixture_wait(db, 11, "lock", "lock_id=1, mode='x'");
	EXPECT_REMEDY(db, "Do not ask for the write lock while holding the same lock for reading");
}

TEST(remedy_empty_pipe_of_its_reader)
{
	sqlite3 *db = fixture_program(0);

	fixture_own_pipe(db, 1, 1);
	fixture_wait(db, 10, "pipe-read", "pipe_id=1");
	EXPECT_REMEDY(db, "Close the end of the pipe that this process does not use");
}

/* Process 1 waits for its child 2, which reads to the end of a pipe. */
static sqlite3 *reader_waited_for(int holder)
{
	sqlite3 *db = fixture_family();

	fixture_joined(db, 1, "pipe", 2, "r", holder, "w");
	fixture_wait(db, 10, "child", "target_process_id=2");
	fixture_wait(db, 20, "pipe-read", "pipe_id=1");
	return db;
}

TEST(remedy_end_kept_by_parent)
{
	EXPECT_REMEDY(
		reader_waited_for(1), "Close the write end of the pipe from which the child reads");
}

/* Child 3 was started with the other one's pipe, and reads itself what process 1 may write. */
TEST(remedy_end_kept_by_child)
{
	sqlite3 *db = reader_waited_for(3);

	fixture_process(db, 3, 1);
	fixture_joined(db, 2, "pipe", 3, "r", 1, "w");
	fixture_wait(db, 30, "pipe-read", "pipe_id=2");
	EXPECT_REMEDY(db,
		"Close the write end of a pipe in each child that does not write to it (O_CLOEXEC does it)");
}

TEST(remedy_upgrade)
{
	sqlite3 *db = fixture_program(2);

	fixture_lock(db, 1, "rwlock", 1);
	fixture_hold(db, 1, 11, "s");
	fixture_hold(db, 1, 12, "s");
	fixture_wait(db, 10, "join", "target_thread_id=11");
	fixture_wait(db, 11, "lock", "lock_id=1, mode='x'");
	fixture_wait(db, 12, "lock", "lock_id=1, mode='x'");
	EXPECT_REMEDY(db, "Do not ask for the write lock while holding the same lock for reading");
}

/* Java's lock counts its readers, and does not name them. */
TEST(remedy_upgrade_of_java)
{
	sqlite3 *db = fixture_program(2);

	fixture_lock(db, 1, "object", 1);
	fixture_sql(db,
		"UPDATE lock SET type = 'java.util.concurrent.locks.ReentrantReadWriteLock$WriteLock'");
	fixture_wait(db, 10, "join", "target_thread_id=11");
	fixture_wait(db, 11, "futex", "lock_id=1");
	fixture_wait(db, 12, "futex", "lock_id=1");
	EXPECT_REMEDY(db, "Do not ask for the write lock while holding the same lock for reading");
}

/* A synchronized method of a class is no initialisation of it. */
TEST(remedy_monitor_of_class)
{
	sqlite3 *db = fixture_program(1);

	fixture_held(db, 1, "monitor", 1, 10);
	fixture_sql(db, "UPDATE lock SET type = 'java.lang.Class'");
	fixture_wait(db, 10, "join", "target_thread_id=11");
	fixture_wait(db, 11, "lock", "lock_id=1");
	EXPECT_REMEDY(db, "Release the lock before joining a thread that needs it");
}

/* One FIFO that nobody else opens is opened in no order. */
TEST(remedy_fifo)
{
	for (int fifos = 1; fifos <= 2; fifos++) {
		sqlite3 *db = fixture_family();

		for (int i = 1; i <= 2; i++)
			fixture_sql(db, "INSERT INTO pipe (id, kind) VALUES (%d, 'fifo')", i);
		fixture_wait(db, 10, fifos > 1 ? "fifo-open" : "child",
			fifos > 1 ? "pipe_id = 2, mode = 'w'" : "target_process_id = 2");
		fixture_wait(db, 20, "fifo-open", "pipe_id = 1, mode = 'w'");
		EXPECT_REMEDY(db, fifos > 1 ? "Open FIFOs in the same order on both sides"
					    : "Open the other side of the FIFO");
	}
}

/* A thread reads a pipe to its end, which its own process keeps open while it joins the thread; or fills it. */
TEST(remedy_pipe_of_joined_thread)
{
	for (int writes = 0; writes < 2; writes++) {
		sqlite3 *db = fixture_program(1);

		fixture_own_pipe(db, 1, 1);
		fixture_wait(db, 10, "join", "target_thread_id = 11");
		fixture_wait(db, 11, writes ? "pipe-write" : "pipe-read", "pipe_id = 1");
		EXPECT_REMEDY(db,
			writes ? "Read from the pipe before joining the thread that writes to it"
			       : "Send what is still expected");
	}
}

/* A barrier under a mutex that another one needs who is to arrive there. */
TEST(remedy_barrier_under_lock)
{
	sqlite3 *db = fixture_program(2);

	fixture_held(db, 1, "mutex", 1, 11);
	fixture_lock(db, 2, "barrier", 1);
	fixture_wait(db, 10, "join", "target_thread_id = 11");
	fixture_wait(db, 11, "barrier", "lock_id = 2");
	fixture_wait(db, 12, "lock", "lock_id = 1");
	EXPECT_REMEDY(db,
		"Do not hold a lock while waiting for something that other threads can only do while holding that lock");
}

TEST(remedy_sem_of_joined_thread)
{
	sqlite3 *db = fixture_program(1);

	fixture_lock(db, 1, "sem", 1);
	fixture_wait(db, 10, "join", "target_thread_id = 11");
	fixture_wait(db, 11, "sem", "lock_id = 1");
	EXPECT_REMEDY(
		db, "Post the semaphore before waiting for what its waiter is to do afterwards");
}

TEST(remedy_full_queue)
{
	sqlite3 *db = fixture_program(0);

	fixture_wait(
		db, 10, "ipc", "mode = 'p', detail = 'sends to the full System V message queue 1'");
	EXPECT_REMEDY(db, "Receive from the queue while others send to it");
}
