/* unjudged.c - tests of what a verdict says that it could not judge. */
/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "schema/db.h"
#include "tests/unit/fixture.h"
#include "tests/unit/test.h"
#include "verdict/verdict.h"

#include <sqlite3.h>

static void expect(sqlite3 *db, const char *wanted)
{
	struct buf out = BUF_INIT, why = BUF_INIT;

	ASSERT_INT(verdict_unjudged(db, INT64_MAX, &out, &why), 0);
	ASSERT_STR(out.data ? out.data : "", wanted);
	buf_done(&out);
	buf_done(&why);
}

TEST(unjudged_nothing)
{
	sqlite3 *db = fixture_open();

	fixture_process(db, 1, 0);
	fixture_wait(db, 10, "sleep", "");
	expect(db, "");
	db_close(db);
}

TEST(unjudged_runtimes_and_sockets)
{
	sqlite3 *db = fixture_open();

	fixture_process(db, 1, 0);
	fixture_process(db, 2, 1);
	fixture_sql(db, "UPDATE process SET exe = '/usr/lib/jvm/java-17/bin/java' WHERE id = 1");
	fixture_wait(db, 10, "socket", "");
	fixture_wait(db, 20, "socket", "timed = 1");
	expect(db, "  the monitors and locks of Java (jstack shows them): p1[1001]\n"
		   "  who is at the other end of a socket: p1[1001]\n");
	db_close(db);
}

/* A virtual thread that is parked is no thread of the kernel's, and Java's list does not have it. */
TEST(unjudged_virtual_threads)
{
	sqlite3 *db = fixture_open();

	fixture_process(db, 1, 0);
	fixture_process(db, 2, 1);
	fixture_process(db, 3, 1);
	fixture_sql(db, "UPDATE process SET language = 'java'");
	fixture_sql(db,
		"UPDATE thread SET runtime_name = 'ForkJoinPool-1-worker-1 (for virtual threads)' WHERE process_id = 1");
	fixture_sql(db,
		"UPDATE thread SET runtime_name = 'mailer (virtual thread)' WHERE process_id = 2");
	fixture_sql(db,
		"UPDATE thread SET runtime_name = 'ForkJoinPool-1-worker-1' WHERE process_id = 3");
	expect(db,
		"  virtual threads of Java that do not run (jcmd's Thread.dump_to_file shows them): p1[1001], p2[1002]\n");
	db_close(db);
}

/* What the kernel, or whoever it asks, does is named: so is a timer that will start a thread. */
TEST(unjudged_kernel)
{
	sqlite3 *db = fixture_open();

	fixture_process(db, 1, 0);
	fixture_process(db, 2, 1);
	fixture_wait(db, 10, "watch", "");
	fixture_wait(db, 20, "uring", "");
	expect(db, "  who will change the files that are watched (inotify, fanotify): p1[1001]\n"
		   "  what the kernel still does for an io_uring: p2[1002]\n");
	fixture_sql(db, "UPDATE wait SET reason = 'fault'");
	expect(db,
		"  whether the holder of a userfaultfd will supply a page: p1[1001], p2[1002]\n");
	fixture_sql(db, "UPDATE wait SET reason = 'other', syscall = 'io_getevents'");
	expect(db,
		"  what asynchronous input and output is under way (io_submit): p1[1001], p2[1002]\n");
	fixture_sql(db,
		"UPDATE wait SET reason = 'file', timed = 1, detail = 'process 7 holds a lease on it'");
	expect(db,
		"  when somebody else will let a file be opened (leases, fanotify): p1[1001], p2[1002]\n");
	fixture_sql(db, "UPDATE wait SET reason = 'sleep', detail = NULL");
	fixture_timer(db, "posix", 32);
	expect(db, "  what a POSIX timer that starts a thread will do (SIGEV_THREAD): p1[1001]\n");
	db_close(db);
}

/* Whose language cannot be read is said, and what can. */
TEST(unjudged_languages)
{
	sqlite3 *db = fixture_open();

	fixture_process(db, 1, 0);
	fixture_sql(db, "UPDATE process SET exe = '/usr/bin/pypy3.9' WHERE id = 1");
	expect(db,
		"  the threads and locks of PyPy (faulthandler shows where they are): p1[1001]\n");
	fixture_sql(db, "UPDATE process SET exe = '/usr/bin/python2.7' WHERE id = 1");
	expect(db, "  the threads and locks of Python (py-spy shows where they are): p1[1001]\n");
	fixture_sql(db, "UPDATE process SET exe = '/usr/lib/erlang/bin/beam.smp' WHERE id = 1");
	expect(db, "  the processes of Erlang (observer shows them): p1[1001]\n");
	fixture_sql(db, "UPDATE process SET language = 'python' WHERE id = 1");
	expect(db, "");
	db_close(db);
}

/* In a recording Python is read when a thread waits as for a lock: of one that does not nobody needs to be told. */
TEST(unjudged_language_at_a_moment)
{
	sqlite3 *db = fixture_open();
	_cleanup_buf_ struct buf out = BUF_INIT, why = BUF_INIT;

	fixture_process(db, 1, 0);
	fixture_sql(db, "UPDATE process SET exe = '/usr/bin/python2.7'");
	fixture_wait(db, 10, "poll", "");
	ASSERT_INT(verdict_unjudged(db, 2000000000, &out, &why), 0);
	ASSERT_INT(out.len, 0);
	fixture_sql(db, "UPDATE wait SET reason = 'lock'");
	ASSERT_INT(verdict_unjudged(db, 2000000000, &out, &why), 0);
	ASSERT_STR(out.data,
		"  the threads and locks of Python (py-spy shows where they are): p1[1001]\n");
	db_close(db);
}

/* Of a connection the side that counts is the other one. */
TEST(unjudged_connection)
{
	sqlite3 *db = fixture_open();

	fixture_process(db, 1, 0);
	fixture_pipe(db, 1, "tcp");
	fixture_sql(db, "UPDATE pipe SET outside = 1");
	fixture_wait(db, 10, "pipe-read", "pipe_id = 1, side = 0");
	expect(db, "");
	fixture_sql(db, "UPDATE wait SET side = 1");
	expect(db, "  who is at the other end of a socket: p1[1001]\n");
	db_close(db);
}
