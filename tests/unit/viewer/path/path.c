/* path.c - tests of the critical path, on recordings whose path is known. */
/* SPDX-License-Identifier: MIT */
#include "viewer/path/path.h"

#include <sqlite3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/db.h"
#include "tests/unit/test.h"
#include "tests/unit/viewer/recording.h"
#include "viewer/load/load.h"

/* A step as "tid from-to kind", times in microseconds; "<tid" instead of the kind of link says from whom. */
static char *steps_of(const struct path *p)
{
	static const char *const kinds[] = {"runs", "waits", "ready"};
	static const char *const links[] = {"", " created", " woken", " ended", " killed"};
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < p->n; i++) {
		const struct path_step *s = &p->steps[i];

		buf_addf(&b, "%s%lld %lld-%lld %s%s", i ? "; " : "",
			(long long)p->t->threads[s->thread].tid, (long long)s->from / 1000,
			(long long)s->to / 1000, kinds[s->kind], links[s->link]);
	}
	return buf_steal(&b);
}

/* The path of a recording of one millisecond that these statements make. */
static void expect_path(const char *sql, const char *steps)
{
	_cleanup_free_ char *all = xasprintf("%s%s", TRACE_ROW, sql);
	_cleanup_free_ char *why = NULL, *found = NULL;
	sqlite3 *db = recording_of(all);
	struct trace *t = recording_load(db);
	struct path *p = path_new(t, db, &why);

	ASSERT_STR(why, NULL);
	found = steps_of(p);
	ASSERT_STR(found, steps);
	for (size_t i = 1; i < p->n; i++)
		ASSERT_INT(p->steps[i].from, p->steps[i - 1].to);
	path_free(p);
	trace_free(t);
	db_close(db);
}

#define PROCESS(id, from, to, creator)                                                             \
	"INSERT INTO process(id, pid, name, start_ns, end_ns, creator_id, end_kind, exit_code)"    \
	" VALUES (" #id ", " #id ", 'p" #id "', " #from ", " #to ", " #creator ", 'exit', 0);"     \
	"INSERT INTO thread(id, tid, process_id, name, start_ns, end_ns, is_main)"                 \
	" VALUES (" #id ", " #id ", " #id ", 'p" #id "', " #from ", " #to ", 1);"
#define THREAD(id, from, to, creator)                                                              \
	"INSERT INTO thread(id, tid, process_id, name, start_ns, end_ns, creator_id, is_main)"     \
	" VALUES (" #id ", " #id ", 1, 't" #id "', " #from ", " #to ", " #creator ", 0);"
#define WAIT(thread, from, to, reason, waker)                                                      \
	"INSERT INTO wait(thread_id, start_ns, end_ns, reason, waker_id)"                          \
	" VALUES (" #thread ", " #from ", " #to ", '" reason "', " #waker ");"

TEST(path_of_one_thread_is_what_it_did)
{
	expect_path(PROCESS(1, 0, 900000, NULL) WAIT(1, 100000, 300000, "sleep", NULL)
			    WAIT(1, 400000, 500000, "file", NULL),
		"1 0-100 runs; 1 100-300 waits; 1 300-400 runs; 1 400-500 waits; 1 500-900 runs");
}

TEST(path_goes_through_the_child_that_is_waited_for)
{
	/* The child is gone at 600; the parent runs again at 620. */
	expect_path(PROCESS(1, 0, 900000, NULL) PROCESS(2, 100000, 600000, 1)
			    WAIT(1, 150000, 620000, "child", 2),
		"1 0-100 runs; 2 100-600 runs created; 1 600-620 ready ended; 1 620-900 runs");
}

TEST(path_goes_through_the_longest_of_the_joined_threads)
{
	/* Two workers: the second one ends last, and both are joined in order. */
	expect_path(
		PROCESS(1, 0, 900000, NULL) THREAD(2, 100000, 300000, 1) THREAD(3, 110000, 700000,
			1) "INSERT INTO wait(thread_id, start_ns, end_ns, reason, target_thread_id, waker_id) VALUES"
			   " (1, 150000, 300000, 'join', 2, 2), (1, 310000, 700000, 'join', 3, 3);",
		"1 0-110 runs; 3 110-700 runs created; 1 700-900 runs ended");
}

TEST(path_follows_a_lock_to_who_released_it)
{
	/* 2 holds the lock until 500 and goes on to wait at 520, before 1 waits for a CPU at 530. */
	expect_path(PROCESS(1, 0, 900000, NULL) THREAD(2, 50000, 800000, 1) WAIT(
			    1, 200000, 530000, "lock", 2) WAIT(2, 520000, 790000, "sleep", NULL),
		"1 0-50 runs; 2 50-520 runs created; 1 520-530 ready woken; 1 530-900 runs");
}

TEST(path_of_a_pipeline_is_carried_by_the_bytes)
{
	/* Reader 1 waits for writer 2, who waited for room that 1 made. */
	expect_path(PROCESS(1, 0, 900000, NULL) PROCESS(2, 50000, 700000, 1) WAIT(2, 100000, 300000,
			    "pipe-write", 1) WAIT(1, 350000, 600000, "pipe-read", 2),
		"1 0-300 runs; 2 300-600 runs woken; 1 600-900 runs woken");
}

TEST(path_does_not_believe_who_waited_all_the_time)
{
	expect_path(PROCESS(1, 0, 900000, NULL) THREAD(2, 50000, 800000, 1) WAIT(
			    1, 200000, 500000, "futex", 2) WAIT(2, 100000, 600000, "sleep", NULL),
		"1 0-200 runs; 1 200-500 waits; 1 500-900 runs");
}

TEST(path_ends_with_the_wait_that_never_ended)
{
	/* The main thread joins 2, who waits for a lock until everybody is killed. */
	expect_path(
		"INSERT INTO process(id, pid, name, start_ns, end_ns, end_kind, exit_signal)"
		" VALUES (1, 1, 'p1', 0, 900000, 'signal', 9);"
		"INSERT INTO thread(id, tid, process_id, name, start_ns, end_ns, is_main)"
		" VALUES (1, 1, 1, 'p1', 0, 900000, 1);" THREAD(2, 100000, 899000,
			1) "INSERT INTO wait(thread_id, start_ns, end_ns, reason, target_thread_id)"
			   " VALUES (1, 200000, 900000, 'join', 2);" WAIT(
				   2, 300000, NULL, "lock", NULL),
		"1 0-100 runs; 2 100-300 runs created; 2 300-899 waits; 1 899-900 ready");
}

TEST(path_looks_behind_the_stop_before_a_kill)
{
	expect_path(
		"INSERT INTO process(id, pid, name, start_ns, end_ns, end_kind, exit_signal)"
		" VALUES (1, 1, 'p1', 0, 900000, 'signal', 9);"
		"INSERT INTO thread(id, tid, process_id, name, start_ns, end_ns, is_main)"
		" VALUES (1, 1, 1, 'p1', 0, 900000, 1);" THREAD(2, 100000, 899000,
			1) "INSERT INTO wait(thread_id, start_ns, end_ns, reason, target_thread_id)"
			   " VALUES (1, 200000, 800000, 'join', 2);" WAIT(1, 800000, 900000,
				   "stopped", NULL) WAIT(2, 300000, 899000, "lock", NULL),
		"1 0-100 runs; 2 100-300 runs created; 2 300-800 waits; 1 800-900 waits");
}

TEST(path_goes_to_who_killed_the_process)
{
	expect_path(
		PROCESS(1, 0, 900000,
			NULL) "INSERT INTO process(id, pid, name, start_ns, end_ns, creator_id, end_kind, exit_signal)"
			      " VALUES (2, 2, 'p2', 100000, 600000, 1, 'signal', 15);"
			      "INSERT INTO thread(id, tid, process_id, name, start_ns, end_ns, is_main)"
			      " VALUES (2, 2, 2, 'p2', 100000, 600000, 1);"
			      "INSERT INTO signal(signo, name, source, sender_id, process_id, sent_ns)"
			      " VALUES (15, 'SIGTERM', 'kill', 1, 2, 580000);" WAIT(2, 150000,
				      600000, "sleep", NULL) WAIT(1, 110000, 570000, "sleep", NULL)
				      WAIT(1, 590000, 640000, "child", 2),
		"1 0-110 runs; 1 110-570 waits; 1 570-580 runs; 2 580-600 ready killed; 1 600-640 ready ended; 1 640-900 runs");
}

TEST(path_without_wakers_finds_who_wrote_released_and_was_reaped)
{
	/* As the preloaded library records: nobody is named. */
	expect_path(
		PROCESS(1, 0, 900000, NULL) PROCESS(2, 50000, 700000,
			1) "UPDATE process SET reaped_ns = 710000, reaper_id = 1 WHERE id = 2;"
			   "INSERT INTO pipe(id, kind) VALUES (1, 'pipe');"
			   "INSERT INTO pipe_io(pipe_id, thread_id, op, start_ns, end_ns, bytes) VALUES"
			   " (1, 2, 'write', 290000, 295000, 4), (1, 2, 'write', 100000, 110000, 4);"
			   "INSERT INTO wait(thread_id, start_ns, end_ns, reason, pipe_id) VALUES"
			   " (1, 200000, 300000, 'pipe-read', 1);" WAIT(
				   1, 400000, 710000, "child", NULL),
		"1 0-50 runs; 2 50-700 runs created; 1 700-710 ready ended; 1 710-900 runs");
	expect_path(
		PROCESS(1, 0, 900000, NULL) THREAD(2, 50000, 800000,
			1) "INSERT INTO lock(id, kind) VALUES (1, 'mutex');"
			   "INSERT INTO lock_hold(lock_id, thread_id, acquire_ns, release_ns) VALUES (1, 2, 60000, 480000);"
			   "INSERT INTO wait(thread_id, start_ns, end_ns, reason, lock_id) VALUES (1, 200000, 500000, 'lock', 1);",
		"1 0-50 runs; 2 50-500 runs created; 1 500-900 runs woken");
}

TEST(path_of_nonsense_ends)
{
	/* Threads that made each other, and waits that ended each other at the same time. */
	expect_path(PROCESS(1, 0, 900000, 2) PROCESS(2, 0, 900000, 1)
			    WAIT(1, 100000, 500000, "futex", 2) WAIT(2, 100000, 500000, "futex", 1)
				    WAIT(1, 50000, 450000, "futex", 77),
		"1 0-50 runs created; 1 50-100 waits; 1 100-500 waits; 1 500-900 runs woken");
	expect_path("", "");
}

TEST(path_is_a_table_of_sql)
{
	sqlite3 *db = recording_of(
		TRACE_ROW PROCESS(1, 0, 900000, NULL) WAIT(1, 100000, 300000, "sleep", NULL));
	sqlite3_stmt *st = NULL;

	ASSERT_INT(path_register(db), 0);
	ASSERT_INT(
		sqlite3_prepare_v2(db,
			"SELECT count(*), sum(end_ns - start_ns), max(what) FILTER (WHERE kind = 'waits') FROM critical_path",
			-1, &st, NULL),
		SQLITE_OK);
	ASSERT_INT(sqlite3_step(st), SQLITE_ROW);
	ASSERT_INT(sqlite3_column_int64(st, 0), 3);
	ASSERT_INT(sqlite3_column_int64(st, 1), 900000);
	ASSERT_STR((const char *)sqlite3_column_text(st, 2), "sleeps");
	(void)sqlite3_finalize(st);
	/* Not for the schema of a recording. */
	ASSERT_INT(
		sqlite3_exec(db, "CREATE VIEW v AS SELECT * FROM critical_path", NULL, NULL, NULL),
		SQLITE_OK);
	ASSERT(sqlite3_exec(db, "SELECT * FROM v", NULL, NULL, NULL) != SQLITE_OK);
	db_close(db);
}

TEST(path_says_where_the_time_went)
{
	sqlite3 *db = recording_of(
		TRACE_ROW PROCESS(1, 0, 900000, NULL) WAIT(1, 100000, 800000, "sleep", NULL));
	struct trace *t = recording_load(db);
	_cleanup_free_ char *why = NULL;
	struct path *p = path_new(t, db, &why);
	_cleanup_buf_ struct buf b = BUF_INIT;

	path_sentence(&b, p);
	ASSERT_STR(b.data,
		"where the 900 \xc2\xb5s from start to end went: 78% p1 sleeps, 22% p1 runs"
		" (pptrace path: 3 steps through 1 thread)");
	path_free(p);
	trace_free(t);
	db_close(db);
}
