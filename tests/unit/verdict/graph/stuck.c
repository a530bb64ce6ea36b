/* stuck.c - tests of the wait-for graph: what can never proceed, and what must not be accused. */
/* SPDX-License-Identifier: MIT */
#include <signal.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "schema/db.h"
#include "schema/names.h"
#include "tests/unit/fixture.h"
#include "tests/unit/test.h"
#include "verdict/graph/state.h"
#include "verdict/verdict.h"

#define EXPECT EXPECT_STUCK

/* Shell 1 with the children 2 and 3, for which it waits. */
static sqlite3 *with_children(void)
{
	sqlite3 *db = fixture_family();

	fixture_process(db, 3, 1);
	fixture_wait(db, 10, "child", "");
	return db;
}

static sqlite3 *abba(void)
{
	sqlite3 *db = fixture_program(2);

	fixture_held(db, 1, "mutex", 1, 11);
	fixture_held(db, 2, "mutex", 1, 12);
	fixture_wait(db, 10, "join", "target_thread_id=11");
	fixture_wait(db, 11, "lock", "lock_id=2");
	fixture_wait(db, 12, "lock", "lock_id=1");
	return db;
}

TEST(stuck_abba)
{
	EXPECT(abba(), "deadlock cycle 11 12");
}

/* The machine is busy: who was told to stop and to die did so seconds later. */
static sqlite3 *killed_slowly(const char *end_kind)
{
	sqlite3 *db = abba();

	fixture_sql(db, "UPDATE process SET end_ns = 9000000000, end_kind = '%s'", end_kind);
	fixture_sql(db, "UPDATE thread SET end_ns = 9000000000");
	fixture_sql(db, "UPDATE wait SET end_ns = 4000000000");
	return db;
}

static size_t found_at_end(sqlite3 *db, const struct findings *told)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct findings f = {0};
	size_t n = 0;

	ASSERT_INT(verdict_end(db, false, told, &f, &why), 0);
	for (size_t i = 0; i < f.n; i++)
		n += !strcmp(f.list[i].rule, "deadlock") && f.list[i].n_members >= 2;
	findings_free(&f);
	db_close(db);
	return n;
}

TEST(stuck_told_and_killed_stays_found)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct findings found = {0}, told = {0};
	sqlite3 *db = abba();

	ASSERT_INT(verdict_stuck(db, INT64_MAX, false, &found, &why), 0);
	verdict_remember(&told, &found);
	ASSERT_INT(told.n, 1);
	ASSERT_INT(found_at_end(db, &told), 1); /* once */
	ASSERT_INT(found_at_end(killed_slowly("signal"), &(struct findings){0}), 0);
	ASSERT_INT(found_at_end(killed_slowly("signal"), &told), 1);
	ASSERT_INT(found_at_end(killed_slowly("exit"), &told), 0);
	findings_free(&found);
	findings_free(&told);
}

TEST(stuck_abba_beside_live_thread)
{
	sqlite3 *db = abba();

	fixture_sql(db, "DELETE FROM wait WHERE thread_id = 10");
	EXPECT(db, "deadlock cycle 11 12");
}

/* Waits that had begun before the recording (attach), or were read before the first record (why). */
TEST(stuck_abba_from_before)
{
	sqlite3 *db = abba();

	fixture_sql(db, "UPDATE wait SET start_ns = -5000000000");
	EXPECT(db, "deadlock cycle 11 12");
}

/* Of each lock it is recorded how often it was taken. */
static sqlite3 *taken(sqlite3 *db, int times)
{
	fixture_sql(db, "INSERT INTO exec (process_id, ts_ns, lock_source) VALUES (1, 1, 'shim')");
	fixture_sql(db,
		"INSERT OR REPLACE INTO lock_stat (lock_id, holds, contended, wait_ns, max_wait_ns, hold_ns, max_hold_ns, threads)"
		" SELECT id, %d, 1, 9, 9, 9, 9, 1 FROM lock",
		times);
	return db;
}

/* A thread has a lock and joins another one that wants it; process 1 may cancel, or jump. */
static sqlite3 *join_under_lock(unsigned cancels)
{
	sqlite3 *db = fixture_program(2);

	fixture_held(db, 1, "mutex", 1, 11);
	fixture_wait(db, 11, "join", "target_thread_id=12");
	fixture_wait(db, 12, "lock", "lock_id=1");
	fixture_sql(db, "UPDATE process SET cancels = %u", cancels);
	return db;
}

/* Who has never given a lock back, and waits for something else than a lock, may have left that to another thread. */
TEST(stuck_joined_and_never_given_back)
{
	sqlite3 *db = taken(join_under_lock(0), 1);
	_cleanup_free_ char *beside = fixture_stuck(db);

	ASSERT_STR(beside, "stuck cycle 11 12");
	fixture_wait(db, 10, "join", "target_thread_id=11");
	EXPECT(db, "deadlock cycle 11 12");
}

TEST(stuck_joined_and_once_given_back)
{
	EXPECT(taken(join_under_lock(0), 2), "deadlock cycle 11 12");
}

/* Who waits for a lock is inside what the other lock protects. */
TEST(stuck_abba_never_given_back)
{
	sqlite3 *db = taken(abba(), 1);

	fixture_sql(db, "DELETE FROM wait WHERE thread_id = 10");
	EXPECT(db, "deadlock cycle 11 12");
}

/* Where nobody records who gives back, it is told from a thread that waits for itself, as who uses a mutex as a semaphore does. */
TEST(stuck_self_beside_live_thread)
{
	sqlite3 *db = fixture_program(1);

	fixture_held(db, 1, "mutex", 1, 10);
	fixture_wait(db, 10, "lock", "lock_id=1");
	_cleanup_free_ char *beside = fixture_stuck(db);
	ASSERT_STR(beside, "stuck self 10");
	fixture_sql(db, "UPDATE lock SET type = 'normal+pi'");
	_cleanup_free_ char *pi = fixture_stuck(db);
	ASSERT_STR(pi, "deadlock self 10");
	fixture_sql(db, "UPDATE lock SET type = 'normal'");
	fixture_wait(db, 11, "join", "target_thread_id=10");
	EXPECT(db, "deadlock self 10");
}

TEST(stuck_cancelled_by_live_thread)
{
	sqlite3 *db = join_under_lock(1);
	_cleanup_free_ char *beside = fixture_stuck(db);

	ASSERT_STR(beside, "stuck cycle 11 12");
	fixture_wait(db, 10, "join", "target_thread_id=11");
	EXPECT(db, "deadlock cycle 11 12");
	EXPECT(taken(join_under_lock(0), 2), "deadlock cycle 11 12");
}

/* One that may be cancelled at any time leaves the wait for a lock, too. */
TEST(stuck_abba_cancelled_at_once)
{
	sqlite3 *db = abba();

	fixture_sql(db, "DELETE FROM wait WHERE thread_id = 10");
	fixture_sql(db, "UPDATE process SET cancels = 1 | 4");
	EXPECT(db, "stuck cycle 11 12");
}

/* Where nobody records who gives a lock back, a thread beside may do it, unless its holder has woken somebody who waited for it. */
TEST(stuck_joined_and_not_recorded)
{
	sqlite3 *db = join_under_lock(0);
	_cleanup_free_ char *beside = fixture_stuck(db);

	ASSERT_STR(beside, "stuck cycle 11 12");
	fixture_sql(db, "UPDATE wait SET target_thread_id = 11 WHERE reason = 'lock'");
	fixture_sql(db,
		"INSERT INTO wait (thread_id, start_ns, end_ns, reason, lock_id, target_thread_id, waker_id)"
		" VALUES (12, 1, 2, 'lock', 1, 11, 11)");
	EXPECT(db, "deadlock cycle 11 12");
}

/* main is told to end, and cancels them. */
TEST(stuck_cancelled_by_thread_that_waits_for_a_signal)
{
	sqlite3 *db = join_under_lock(1);

	fixture_wait(db, 10, "signal", "");
	EXPECT(db, "stuck cycle 11 12");
}

/* Nobody is cancelled while he waits for a mutex. */
TEST(stuck_abba_not_cancelled)
{
	sqlite3 *db = abba();

	fixture_sql(db, "DELETE FROM wait WHERE thread_id = 10");
	fixture_sql(db, "UPDATE process SET cancels = 1");
	EXPECT(db, "deadlock cycle 11 12");
}

TEST(stuck_abba_jumped_out_of)
{
	sqlite3 *db = abba();

	fixture_sql(db, "DELETE FROM wait WHERE thread_id = 10");
	fixture_sql(db, "UPDATE process SET cancels = 2");
	_cleanup_free_ char *without = fixture_stuck(db);
	ASSERT_STR(without, "deadlock cycle 11 12");
	fixture_handler(db, 1, 10);
	_cleanup_free_ char *with = fixture_stuck(db);
	ASSERT_STR(with, "stuck cycle 11 12");
	fixture_sql(db, "UPDATE wait SET sigmask = 1 << 9");
	EXPECT(db, "deadlock cycle 11 12");
}

TEST(stuck_abba_timed)
{
	sqlite3 *db = abba();

	fixture_sql(db, "UPDATE wait SET timed = 1 WHERE thread_id = 12");
	EXPECT(db, "");
}

TEST(stuck_abba_with_alarm_handler)
{
	sqlite3 *db = abba();

	fixture_timer(db, "real", 14);
	fixture_handler(db, 1, 14);
	EXPECT(db, "stuck cycle 11 12");
}

/* A signal that no thread lets in runs no handler. */
TEST(stuck_abba_with_alarm_handler_that_is_blocked)
{
	sqlite3 *db = abba();

	fixture_timer(db, "posix", 14);
	fixture_handler(db, 1, 14);
	fixture_sql(db, "UPDATE wait SET sigmask = 1 << 13");
	EXPECT(db, "deadlock cycle 11 12");
}

/* A ring may write, close, time out: what waits for its process is possible at most, and at rest. */
TEST(stuck_pipe_of_a_process_with_a_ring)
{
	sqlite3 *db = fixture_family();

	fixture_joined(db, 1, "pipe", 1, "w", 2, "r");
	fixture_wait(db, 10, "child", "target_process_id=2");
	fixture_wait(db, 20, "pipe-read", "pipe_id=1");
	_cleanup_free_ char *without = fixture_stuck(db);
	ASSERT_STR(without, "deadlock cycle 10 20");
	fixture_sql(db, "UPDATE process SET uring = 1 WHERE id = 1");
	EXPECT(db, "");
}

/* But no ring releases a mutex. */
TEST(stuck_abba_beside_a_ring)
{
	sqlite3 *db = abba();

	fixture_sql(db, "UPDATE process SET uring = 1");
	EXPECT(db, "deadlock cycle 11 12");
}

TEST(stuck_abba_with_killing_alarm)
{
	sqlite3 *db = abba();

	fixture_timer(db, "real", 14);
	EXPECT(db, "");
}

/* A timer that starts a thread (SIGEV_THREAD) helps all but those who wait for what others hold. */
static void arm_thread_timer(sqlite3 *db)
{
	fixture_timer(db, "posix", 32);
}

TEST(stuck_abba_with_timer_that_starts_a_thread)
{
	sqlite3 *db = abba();

	arm_thread_timer(db);
	EXPECT(db, "deadlock cycle 11 12");
}

TEST(stuck_condition_with_timer_that_starts_a_thread)
{
	sqlite3 *db = fixture_program(1);

	fixture_lock(db, 1, "cond", 1);
	fixture_wait(db, 10, "cond", "lock_id=1");
	fixture_wait(db, 11, "cond", "lock_id=1");
	arm_thread_timer(db);
	EXPECT(db, "");
}

/* The one waits for a lock of the other, which waits for what the first one's handler writes. */
TEST(stuck_across_processes_with_alarm_handler)
{
	sqlite3 *db = fixture_family();

	fixture_held(db, 1, "mutex", 0, 20);
	fixture_wait(db, 10, "lock", "lock_id=1");
	fixture_joined(db, 1, "pipe", 1, "w", 2, "r");
	fixture_wait(db, 20, "pipe-read", "pipe_id=1");
	fixture_handler(db, 1, 14);
	_cleanup_free_ char *without = fixture_stuck(db);
	ASSERT_STR(without, "deadlock cycle 10 20");
	fixture_timer(db, "real", 14);
	EXPECT(db, "");
}

/*
 * A parent that takes orders (SIGHUP, SIGTERM) waits for its child, which reads from it: the order may be handed on. Not so one that
 * wants a lock of the parent's, as where make runs flock in a rule whose make has the lock.
 */
TEST(stuck_parent_with_orders_for_a_child)
{
	static const int orders[] = {SIGHUP, SIGTERM};

	for (int i = 0; i < 4; i++) {
		sqlite3 *db = fixture_family();
		bool wants_lock = i % 2;

		fixture_wait(db, 10, "child", "target_process_id=2");
		fixture_handler(db, 1, orders[i / 2]);
		if (wants_lock) {
			fixture_held(db, 1, "file", 0, 10);
			fixture_wait(db, 20, "lock", "lock_id=1");
		} else {
			fixture_joined(db, 1, "pipe", 1, "w", 2, "r");
			fixture_wait(db, 20, "pipe-read", "pipe_id=1");
		}
		EXPECT(db, wants_lock ? "deadlock cycle 10 20" : "stuck cycle 10 20");
	}
}

/* A child that polls what its parent may write to rests, and so it does where Java's hook may. */
TEST(stuck_parent_that_ends_in_order_and_a_poll)
{
	for (int i = 0; i < 3; i++) {
		sqlite3 *db = fixture_family();

		fixture_wait(db, 10, "child", "target_process_id=2");
		fixture_joined(db, 1, "pipe", 1, "w", 2, "r");
		fixture_wait(db, 20, "poll", "");
		fixture_sql(db, "INSERT INTO wait_on (wait_id, ordinal, kind, mode, pipe_id, side)"
				" SELECT max(id), 0, 'pipe', 'r', 1, 0 FROM wait");
		if (i == 1)
			fixture_handler(db, 1, SIGTERM);
		if (i == 2)
			fixture_sql(db, "UPDATE process SET hooks = 1 WHERE id = 1");
		EXPECT(db, i ? "" : "deadlock cycle 10 20");
	}
}

/* What is only told to end by SIGTERM writes nothing for a child that writes itself, and reads nothing. */
TEST(stuck_parent_that_ends_in_order_and_a_full_pipe)
{
	sqlite3 *db = fixture_family();

	fixture_wait(db, 10, "child", "target_process_id=2");
	fixture_handler(db, 1, SIGTERM);
	fixture_joined(db, 1, "pipe", 2, "w", 1, "r");
	fixture_wait(db, 20, "pipe-write", "pipe_id=1");
	EXPECT(db, "deadlock cycle 10 20");
}

/* The alarm has rung, and the process is about to die of it. */
TEST(stuck_abba_with_signal_under_way)
{
	sqlite3 *db = abba();

	fixture_sql(db,
		"INSERT INTO signal (signo, name, source, process_id, sent_ns, result)"
		" SELECT 14, 'SIGALRM', 'timer', 1, duration_ns - 100000000, 'queued' FROM trace");
	EXPECT(db, "");
}

/* Each reader of signals meets those of processes that have ended, of none, and numbers that are no signals. */
TEST(stuck_abba_with_signals_of_others)
{
	static const char *const backends[] = {"shim", "ebpf"};

	for (size_t i = 0; i < ARRAY_SIZE(backends); i++) {
		sqlite3 *db = abba();

		fixture_sql(db, "UPDATE trace SET backend = '%s'", backends[i]);
		for (int signo = 0; signo < 66; signo++)
			fixture_sql(db,
				"INSERT INTO signal (signo, name, source, process_id, sent_ns, result)"
				" SELECT %d, 'x', 'process', column1, 5, 'queued' FROM (VALUES (NULL), (77))",
				signo);
		EXPECT(db, "deadlock cycle 11 12");
	}
}

/* Nobody is left, and the recording knows of signals that stop. */
TEST(stuck_nobody_with_stops)
{
	sqlite3 *db = abba();

	fixture_sql(db, "UPDATE trace SET backend = 'shim'");
	fixture_sql(db, "UPDATE process SET end_ns = 7, reaped_ns = 8, end_kind = 'exit'");
	fixture_sql(db, "UPDATE thread SET end_ns = 7");
	fixture_sql(db, "UPDATE wait SET end_ns = 6");
	fixture_sql(db,
		"INSERT INTO signal (signo, name, source, process_id, sent_ns, result)"
		" SELECT column1, 'x', 'process', 1, 5, 'queued' FROM (VALUES (18), (19), (20))");
	EXPECT(db, "");
}

TEST(stuck_abba_with_signal_long_blocked)
{
	sqlite3 *db = abba();

	fixture_sql(db, "UPDATE wait SET sigmask = 8192");
	fixture_sql(db,
		"INSERT INTO signal (signo, name, source, process_id, sent_ns, result)"
		" SELECT 14, 'SIGALRM', 'timer', 1, duration_ns - 100000000, 'queued' FROM trace");
	EXPECT(db, "deadlock cycle 11 12");
}

TEST(stuck_abba_with_profiling_timer)
{
	sqlite3 *db = abba();

	fixture_sql(db,
		"INSERT INTO timer (process_id, kind, signo, armed_ns, expires_ns, interval_ns)"
		" VALUES (1, 'prof', 27, 1, 2000000, 1000000)");
	EXPECT(db, "deadlock cycle 11 12");
}

TEST(stuck_abba_with_losses)
{
	sqlite3 *db = abba();

	fixture_sql(db, "UPDATE trace SET lost = 3");
	fixture_sql(db, "INSERT INTO lost VALUES ('shim', 'any', 3)");
	EXPECT(db, "stuck cycle 11 12");
}

TEST(stuck_just_begun)
{
	sqlite3 *db = abba();

	fixture_sql(db, "UPDATE wait SET start_ns = 9990000000 WHERE thread_id = 12");
	EXPECT(db, "");
}

TEST(stuck_one_is_stopped)
{
	sqlite3 *db = abba();

	fixture_sql(db, "UPDATE wait SET reason = 'stopped', lock_id = NULL WHERE thread_id = 12");
	EXPECT(db, "");
}

TEST(stuck_philosophers)
{
	sqlite3 *db = fixture_program(5);

	for (int i = 0; i < 5; i++) {
		fixture_lock(db, i + 1, "mutex", 1);
		fixture_hold(db, i + 1, 11 + i, "x");
	}
	for (int i = 0; i < 5; i++) {
		char column[32];

		(void)snprintf(column, sizeof column, "lock_id=%d", (i + 1) % 5 + 1);
		fixture_wait(db, 11 + i, "lock", column);
	}
	EXPECT(db, "deadlock cycle 11 12 13 14 15");
}

TEST(stuck_self)
{
	sqlite3 *db = fixture_program(0);

	fixture_held(db, 1, "mutex", 1, 10);
	fixture_wait(db, 10, "lock", "lock_id=1");
	EXPECT(db, "deadlock self 10");
}

/* A mutex that was released by who did not hold it: certain only while nobody is there to do so again. */
TEST(stuck_self_released_by_others)
{
	sqlite3 *db = fixture_program(1);

	fixture_held(db, 1, "mutex", 1, 10);
	fixture_sql(db,
		"INSERT OR REPLACE INTO lock_stat (lock_id, holds, contended, wait_ns, max_wait_ns,"
		" hold_ns, max_hold_ns, threads, foreign_posts) VALUES (1, 2, 1, 9, 9, 9, 9, 1, 1)");
	fixture_wait(db, 10, "lock", "lock_id=1");
	EXPECT(db, "stuck self 10");
}

/* Two processes that run two programs: in the first a mutex was released by who did not hold it, in the second one is wanted twice. */
static sqlite3 *released_in_another(const char *programs)
{
	sqlite3 *db = fixture_program(1);

	fixture_process(db, 2, 1);
	fixture_threads(db, 2, 1);
	fixture_held(db, 1, "mutex", 1, 10);
	fixture_sql(db,
		"INSERT OR REPLACE INTO lock_stat (lock_id, holds, contended, wait_ns, max_wait_ns,"
		" hold_ns, max_hold_ns, threads, foreign_posts) VALUES (1, 2, 1, 9, 9, 9, 9, 1, 1)");
	fixture_held(db, 2, "mutex", 2, 20);
	fixture_wait(db, 20, "lock", "lock_id=2");
	/* This one was given back before by who had taken it. */
	fixture_sql(db, "INSERT INTO exec (process_id, ts_ns, lock_source) VALUES (2, 1, 'shim')");
	fixture_sql(db,
		"INSERT OR REPLACE INTO lock_stat (lock_id, holds, contended, wait_ns, max_wait_ns,"
		" hold_ns, max_hold_ns, threads) VALUES (2, 2, 1, 9, 9, 9, 9, 1)");
	fixture_sql(db, "UPDATE process SET exe = %s", programs);
	return db;
}

TEST(stuck_self_released_by_others_of_the_program)
{
	EXPECT(released_in_another("'/bin/p'"), "stuck self 20");
}

TEST(stuck_self_released_by_others_of_another_program)
{
	EXPECT(released_in_another("'/bin/p' || id"), "deadlock self 20");
}

TEST(stuck_recursive_is_not_self)
{
	sqlite3 *db = fixture_program(0);

	fixture_lock(db, 1, "mutex", 1);
	fixture_sql(db, "UPDATE lock SET type = 'recursive'");
	fixture_hold(db, 1, 10, "x");
	fixture_wait(db, 10, "lock", "lock_id=1");
	EXPECT(db, "");
}

TEST(stuck_holder_ended)
{
	sqlite3 *db = fixture_program(2);

	fixture_held(db, 1, "mutex", 1, 11);
	fixture_sql(db, "UPDATE thread SET end_ns = 900000000 WHERE id = 11");
	fixture_wait(db, 12, "lock", "lock_id=1");
	fixture_wait(db, 10, "join", "target_thread_id=12");
	EXPECT(db, "deadlock abandoned 12");
}

TEST(stuck_holder_ended_robust)
{
	sqlite3 *db = fixture_program(2);

	fixture_lock(db, 1, "mutex", 1);
	fixture_sql(db, "UPDATE lock SET type = 'normal+robust'");
	fixture_hold(db, 1, 11, "x");
	fixture_sql(db, "UPDATE thread SET end_ns = 900000000 WHERE id = 11");
	fixture_wait(db, 12, "lock", "lock_id=1");
	EXPECT(db, "");
}

TEST(stuck_holder_unknown)
{
	sqlite3 *db = fixture_program(1);

	fixture_lock(db, 1, "mutex", 1);
	fixture_wait(db, 11, "lock", "lock_id=1");
	fixture_wait(db, 10, "join", "target_thread_id=11");
	EXPECT(db, "");
}

/* The owner that was read when the thread blocked is all that is known: another thread may give the lock back for it. */
TEST(stuck_owner_read_is_waiter)
{
	sqlite3 *db = fixture_program(1);

	fixture_lock(db, 1, "mutex", 1);
	fixture_sql(db, "UPDATE lock SET type = 'normal'");
	fixture_wait(db, 10, "lock", "lock_id=1, target_thread_id=10");
	fixture_wait(db, 11, "sleep", "");
	EXPECT(db, "stuck self 10");
}

TEST(stuck_inferred_holder)
{
	sqlite3 *db = abba();

	fixture_sql(db, "UPDATE lock_open SET inferred = 1");
	EXPECT(db, "deadlock cycle 11 12");
}

TEST(stuck_inferred_holder_stale)
{
	sqlite3 *db = abba();

	fixture_sql(db, "UPDATE lock_open SET inferred = 1");
	fixture_sql(db, "INSERT INTO wait (thread_id, start_ns, end_ns, reason, lock_id)"
			" VALUES (10, 900000000, 1500000000, 'lock', 1)");
	EXPECT(db, "");
}

TEST(stuck_rwlock_upgrade)
{
	sqlite3 *db = fixture_program(2);

	fixture_lock(db, 1, "rwlock", 1);
	fixture_hold(db, 1, 11, "s");
	fixture_hold(db, 1, 12, "s");
	(void)taken(db, 3);
	fixture_wait(db, 11, "lock", "lock_id=1, mode='x'");
	EXPECT(db, "deadlock self 11");
}

TEST(stuck_rwlock_upgrade_of_two)
{
	sqlite3 *db = fixture_program(2);

	fixture_lock(db, 1, "rwlock", 1);
	fixture_hold(db, 1, 11, "s");
	fixture_hold(db, 1, 12, "s");
	fixture_wait(db, 11, "lock", "lock_id=1, mode='x'");
	fixture_wait(db, 12, "lock", "lock_id=1, mode='x'");
	EXPECT(db, "deadlock cycle 11 12");
}

TEST(stuck_writer_behind_live_readers)
{
	sqlite3 *db = fixture_program(2);

	fixture_lock(db, 1, "rwlock", 1);
	fixture_hold(db, 1, 11, "s");
	fixture_wait(db, 12, "lock", "lock_id=1, mode='x'");
	EXPECT(db, "");
}

/* 11 reads and wants the mutex of 13, who wants to read behind the writer 12, who waits for 11. */
TEST(stuck_writer_behind_reader_behind_writer)
{
	sqlite3 *db = fixture_program(3);

	fixture_lock(db, 1, "rwlock", 1);
	fixture_lock(db, 2, "mutex", 1);
	fixture_hold(db, 1, 11, "s");
	fixture_hold(db, 2, 13, "x");
	fixture_wait(db, 11, "lock", "lock_id=2");
	fixture_wait(db, 12, "lock", "lock_id=1, mode='x'");
	fixture_wait(db, 13, "lock", "lock_id=1, mode='s'");
	EXPECT(db, "deadlock cycle 11 13 12");
}

static sqlite3 *crossed_semaphores(int cycles)
{
	sqlite3 *db = fixture_program(2);

	for (int i = 1; i <= 2; i++) {
		fixture_lock(db, i, "sem", 1);
		fixture_sql(db, "UPDATE lock SET initial = 1 WHERE id = %d", i);
		fixture_sql(db,
			"INSERT INTO lock_stat (lock_id, holds, contended, wait_ns, max_wait_ns,"
			" hold_ns, max_hold_ns, threads, takes, cycles, last_taker_id, value)"
			" VALUES (%d, 0, 0, 0, 0, 0, 0, 2, 3, %d, %d, 0)",
			i, cycles, 10 + i);
	}
	fixture_wait(db, 11, "sem", "lock_id=2");
	fixture_wait(db, 12, "sem", "lock_id=1");
	return db;
}

/* The main thread waits for one of them. */
TEST(stuck_semaphores_crossed)
{
	sqlite3 *db = crossed_semaphores(2);

	fixture_wait(db, 10, "join", "target_thread_id=11");
	EXPECT(db, "deadlock cycle 11 12");
}

/* lock_stat knows the last taker of all: at a moment before, who waited then has not got it yet. */
TEST(stuck_semaphores_taken_later)
{
	sqlite3 *db = crossed_semaphores(2);
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct state st = {0};

	fixture_sql(db, "UPDATE wait SET end_ns = 5000000000");
	for (int i = 1; i <= 2; i++)
		fixture_sql(db,
			"INSERT INTO sync (op, lock_id, thread_id, start_ns, end_ns, result) VALUES"
			" ('trywait', %d, %d, 400000000, 400000000, 11), ('trywait', %d, %d, 500000000, 500000000, 0),"
			" ('wait', %d, %d, 1000000000, 5000000000, 0)",
			i, 13 - i, i, 10 + i, i, 13 - i);
	fixture_sql(db, "UPDATE lock_stat SET last_taker_id = 13 - lock_id");
	ASSERT_INT(state_load(&st, db, 4000000000, false, &why), 0);
	ASSERT_INT(st.n_locks, 2);
	for (size_t i = 0; i < st.n_locks; i++)
		ASSERT_INT(st.locks[i].last_taker_id, 10 + st.locks[i].id);
	state_done(&st);
	db_close(db);
}

/* Anybody may post a semaphore. */
TEST(stuck_semaphores_crossed_beside_a_live_thread)
{
	EXPECT(crossed_semaphores(2), "stuck cycle 11 12");
}

TEST(stuck_semaphores_crossed_never_returned)
{
	EXPECT(crossed_semaphores(0), "stuck cycle 11 12");
}

TEST(stuck_semaphores_crossed_nobody_else)
{
	sqlite3 *db = crossed_semaphores(0);

	fixture_wait(db, 10, "join", "target_thread_id=11");
	EXPECT(db, "deadlock knot 10 11 12");
}

TEST(stuck_semaphore_posted_by_others)
{
	sqlite3 *db = crossed_semaphores(2);

	fixture_sql(db, "UPDATE lock_stat SET foreign_posts = 1");
	EXPECT(db, "");
}

TEST(stuck_semaphore_with_handler)
{
	sqlite3 *db = fixture_program(1);

	fixture_lock(db, 1, "sem", 1);
	fixture_lock(db, 2, "cond", 1);
	fixture_wait(db, 10, "sem", "lock_id=1");
	fixture_wait(db, 11, "cond", "lock_id=2");
	fixture_handler(db, 1, 15);
	_cleanup_free_ char *rests = fixture_stuck(db);
	ASSERT_STR(rests, "");
	/* That language catches it by itself: it is no plan of the program. */
	fixture_sql(db, "UPDATE process SET exe = '/usr/bin/ruby3.1'");
	EXPECT(db, "stuck cycle 10 11");
}

TEST(stuck_semaphore_with_handler_and_joined)
{
	sqlite3 *db = fixture_program(1);

	fixture_lock(db, 1, "sem", 1);
	fixture_wait(db, 11, "sem", "lock_id=1");
	fixture_wait(db, 10, "join", "target_thread_id=11");
	fixture_handler(db, 1, 15);
	EXPECT(db, "stuck cycle 10 11");
}

/* A child that runs in the memory of its parent, but is no thread of it, may post. */
TEST(stuck_semaphore_in_borrowed_memory)
{
	sqlite3 *db = fixture_program(0);

	fixture_process(db, 2, 1);
	fixture_lock(db, 1, "sem", 1);
	fixture_wait(db, 10, "sem", "lock_id=1");
	fixture_sql(db, "UPDATE process SET memory_id = 1 WHERE id = 2");
	EXPECT(db, "");
}

TEST(stuck_semaphore_named)
{
	sqlite3 *db = fixture_program(0);

	fixture_lock(db, 1, "sem", 0);
	fixture_sql(db, "UPDATE lock SET outside = 1");
	fixture_sql(db, "INSERT INTO lock_user VALUES (1, 1, 0, NULL, 0)");
	fixture_wait(db, 10, "sem", "lock_id=1");
	EXPECT(db, "stuck abandoned 10");
}

/* A child waits for a semaphore that its parent has, too, who waits for it: a handler of the parent's may post it. One that is blocked does not run. */
TEST(stuck_semaphore_of_others_with_handler)
{
	static const struct {
		int signo, mask;
		const char *found;
	} rows[] = {{0, 0, "deadlock cycle 10 20"}, {SIGTERM, 0, "stuck cycle 10 20"},
		{SIGTERM, 1 << (SIGTERM - 1), "deadlock cycle 10 20"},
		{SIGCHLD, 0, "deadlock cycle 10 20"}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		sqlite3 *db = fixture_family();

		fixture_lock(db, 1, "sem", 0);
		fixture_sql(db,
			"INSERT INTO lock_user (lock_id, process_id, start_ns) VALUES (1, 1, 5), (1, 2, 5)");
		fixture_wait(db, 10, "child", "target_process_id=2");
		fixture_wait(db, 20, "sem", "lock_id=1");
		if (rows[i].signo)
			fixture_handler(db, 1, rows[i].signo);
		fixture_sql(db, "UPDATE wait SET sigmask = %d WHERE thread_id = 10", rows[i].mask);
		EXPECT(db, rows[i].found);
	}
}

TEST(stuck_condition_nobody_left)
{
	sqlite3 *db = fixture_program(1);

	fixture_lock(db, 1, "cond", 1);
	fixture_wait(db, 11, "cond", "lock_id=1");
	fixture_wait(db, 10, "join", "target_thread_id=11");
	EXPECT(db, "deadlock cycle 10 11");
}

TEST(stuck_pool_at_rest)
{
	sqlite3 *db = fixture_program(3);

	fixture_lock(db, 1, "cond", 1);
	for (int i = 11; i <= 13; i++)
		fixture_wait(db, i, "cond", "lock_id=1");
	fixture_wait(db, 10, "socket", "");
	EXPECT(db, "");
}

/* ---- What the runtime of a language says ---- */

static void object(sqlite3 *db, int id, const char *kind, const char *type)
{
	fixture_lock(db, id, kind, 1);
	fixture_sql(db, "UPDATE lock SET type = '%s' WHERE id = %d", type, id);
}

/* Two threads of Java cross two locks of a kind, in a function of that name; a third one sleeps. */
static sqlite3 *java_crossed(const char *kind, const char *function)
{
	sqlite3 *db = fixture_program(2);

	fixture_sql(db, "UPDATE process SET language = 'java', hooks = %d", (int)HOOKS_NONE);
	fixture_sql(db, "INSERT INTO site(id, function) VALUES (9, '%s')", function);
	fixture_sql(db, "INSERT INTO frame(stack_id, depth, site_id, library) VALUES (9, 0, 9, 1)");
	for (int i = 0; i < 2; i++) {
		object(db, 1 + i, kind, "java.util.concurrent.locks.ReentrantLock");
		fixture_hold(db, 1 + i, 11 + i, "x");
	}
	fixture_wait(db, 11, "lock", "lock_id=2, mode='x', stack_id=9");
	fixture_wait(db, 12, "lock", "lock_id=1, mode='x', stack_id=9");
	fixture_wait(db, 10, "sleep", "timed=1");
	return db;
}

/* A thread that goes on may interrupt others, where their waits heed that. */
TEST(stuck_java_interrupted)
{
	sqlite3 *db = java_crossed("object", "java.util.concurrent.locks.ReentrantLock.lock");

	EXPECT(db, "deadlock cycle 11 12");
	db = java_crossed("object", "java.util.concurrent.locks.StampedLock.writeLock");
	EXPECT(db, "deadlock cycle 11 12");
	db = java_crossed("monitor", "Bank.pay");
	EXPECT(db, "deadlock cycle 11 12");
	db = java_crossed(
		"object", "java.util.concurrent.locks.StampedLock.writeLockInterruptibly");
	EXPECT(db, "stuck cycle 11 12");
	db = java_crossed("object", "java.util.concurrent.locks.ReentrantLock.lockInterruptibly");
	EXPECT(db, "stuck cycle 11 12");
	/* Nobody is left to do it. */
	db = java_crossed("object", "java.util.concurrent.locks.ReentrantLock.lockInterruptibly");
	fixture_sql(db, "DELETE FROM wait WHERE thread_id = 10");
	fixture_wait(db, 10, "join", "target_thread_id=11");
	EXPECT(db, "deadlock cycle 11 12");
}

/* Ruby catches these signals in any program. The main thread waits for one that reads a pipe of the program's own. */
static sqlite3 *ruby(enum hooks hooks, const char *main_wait)
{
	sqlite3 *db = fixture_program(1);

	fixture_sql(db,
		"UPDATE process SET exe = '/usr/bin/ruby3.1', language = 'ruby', hooks = %d",
		(int)hooks);
	for (size_t i = 0; i < 8; i++)
		fixture_handler(db, 1, (int[]){1, 2, 3, 10, 12, 13, 14, 15}[i]);
	fixture_pipe(db, 1, "pipe");
	fixture_end(db, 1, 1, "r");
	fixture_end(db, 1, 1, "w");
	object(db, 1, "object", "Thread::Queue");
	fixture_wait(db, 11, "pipe-read", "pipe_id=1");
	fixture_wait(db, 10, main_wait,
		!strcmp(main_wait, "join") ? "target_thread_id=11" : "lock_id=1, read_ns=1000");
	return db;
}

/* What a trap writes to the pipe wakes the thread; where there is none, nobody does. */
TEST(stuck_ruby_pipe_of_its_own)
{
	sqlite3 *db;

	db = ruby(HOOKS_SOME, "cond");
	EXPECT(db, "");
	db = ruby(HOOKS_NONE, "cond");
	EXPECT(db, "stuck cycle 10 11");
	db = ruby(HOOKS_UNKNOWN, "cond");
	EXPECT(db, "");
	db = ruby(HOOKS_SOME, "join");
	EXPECT(db, "");
	db = ruby(HOOKS_NONE, "join");
	EXPECT(db, "stuck cycle 10 11");
	db = ruby(HOOKS_UNKNOWN, "join");
	EXPECT(db, "");
}

/* A Java program: the main thread, two more, and one of the virtual machine's own that lives. */
static sqlite3 *java(void)
{
	sqlite3 *db = fixture_program(3);

	fixture_sql(db, "UPDATE thread SET housekeeping = 1 WHERE id = 13");
	return db;
}

TEST(stuck_java_monitors_beside_housekeeping)
{
	sqlite3 *db = java();

	object(db, 1, "monitor", "java.lang.Object");
	object(db, 2, "object", "java.util.concurrent.locks.ReentrantLock");
	fixture_wait(db, 11, "lock", "lock_id=1, target_thread_id=12, read_ns=1000");
	fixture_wait(db, 12, "lock", "lock_id=2, target_thread_id=11, read_ns=1000");
	EXPECT(db, "deadlock cycle 11 12");
}

/* Who was woken from the monitor after it was read may have it now; before that, it said who had it. */
TEST(stuck_java_owner_read_anew)
{
	for (int after = 0; after < 2; after++) {
		sqlite3 *db = java();

		object(db, 1, "monitor", "java.lang.Object");
		fixture_wait(db, 11, "lock", "lock_id=1, target_thread_id=12, read_ns=2000000000");
		fixture_wait(db, 12, "join", "target_thread_id=11, read_ns=2000000000");
		fixture_sql(db,
			"INSERT INTO wait (thread_id, start_ns, end_ns, reason, lock_id) VALUES"
			" (10, 1600000000, %d, 'lock', 1)",
			after ? 2000000001 : 1999999999);
		EXPECT(db, after ? "" : "deadlock cycle 11 12");
	}
}

/* What the virtual machine waits for itself may come from its own threads. */
TEST(stuck_java_native_condition)
{
	sqlite3 *db = java();

	fixture_lock(db, 1, "cond", 1);
	for (int i = 10; i <= 12; i++)
		fixture_wait(db, i, "cond", "lock_id=1");
	EXPECT(db, "");
}

TEST(stuck_java_rests)
{
	sqlite3 *db = java();

	object(db, 1, "object", "java.util.concurrent.LinkedBlockingQueue");
	object(db, 2, "object", "java.util.concurrent.ThreadPoolExecutor");
	fixture_wait(db, 10, "cond", "lock_id=1, read_ns=1000");
	fixture_wait(db, 11, "cond", "lock_id=2, read_ns=1000");
	fixture_wait(db, 12, "cond", "lock_id=2, read_ns=1000");
	EXPECT(db, "stuck knot 10 11 12");
}

/* It is told to end by a signal that its shutdown hook is for; who wants a lock for good is stuck all the same. */
TEST(stuck_java_rests_until_hook)
{
	sqlite3 *db;

	for (int hooks = HOOKS_SOME; hooks <= HOOKS_NONE; hooks++) {
		db = java();
		fixture_sql(db, "UPDATE process SET hooks = %d", hooks);
		object(db, 1, "object", "java.util.concurrent.CountDownLatch");
		object(db, 2, "object", "java.util.concurrent.LinkedBlockingQueue");
		fixture_wait(db, 10, "cond", "lock_id=1, read_ns=1000");
		fixture_wait(db, 11, "cond", "lock_id=2, read_ns=1000");
		fixture_wait(db, 12, "cond", "lock_id=2, read_ns=1000");
		EXPECT(db, hooks == HOOKS_SOME ? "" : "stuck knot 10 11 12");
	}

	db = java();
	fixture_sql(db, "UPDATE process SET hooks = 1");
	object(db, 1, "monitor", "java.lang.Object");
	object(db, 2, "monitor", "java.lang.Object");
	fixture_wait(db, 11, "lock", "lock_id=1, target_thread_id=12, read_ns=1000");
	fixture_wait(db, 12, "lock", "lock_id=2, target_thread_id=11, read_ns=1000");
	EXPECT(db, "deadlock cycle 11 12");
}

TEST(stuck_java_pool_without_work)
{
	sqlite3 *db = java();

	fixture_sql(db, "UPDATE thread SET end_ns = 1 WHERE id = 10");
	object(db, 2, "object", "java.util.concurrent.ThreadPoolExecutor");
	fixture_wait(db, 11, "cond", "lock_id=2, read_ns=1000");
	fixture_wait(db, 12, "cond", "lock_id=2, read_ns=1000");
	EXPECT(db, "");
}

/* A latch that a thread counts down which wants a lock of the waiting one. */
TEST(stuck_java_latch_and_lock)
{
	sqlite3 *db = java();

	object(db, 1, "object", "java.util.concurrent.CountDownLatch");
	object(db, 2, "monitor", "java.lang.Object");
	fixture_wait(db, 10, "cond", "lock_id=1, read_ns=1000");
	fixture_wait(db, 11, "lock", "lock_id=2, target_thread_id=10, read_ns=1000");
	fixture_sql(db, "UPDATE thread SET end_ns = 1 WHERE id = 12");
	EXPECT(db, "deadlock cycle 10 11");
}

/* Python's handlers raise exceptions: they may end a join or the wait for an RLock. */
TEST(stuck_python_joins_with_handler)
{
	for (int handler = 0; handler < 2; handler++) {
		sqlite3 *db = fixture_program(1);

		fixture_wait(db, 10, "join", "target_thread_id=11, read_ns=1000");
		fixture_wait(db, 11, "join", "target_thread_id=10, read_ns=1000");
		if (handler)
			fixture_handler(db, 1, 10);
		EXPECT(db, handler ? "stuck cycle 10 11" : "deadlock cycle 10 11");
	}
}

/*
 * A service that the handler of a signal will tell to end: the main thread joins workers that wait for work. Not so one
 * of whose workers waits for a result, or wants a lock.
 */
TEST(stuck_python_service)
{
	static const struct {
		const char *type, *behind;
		int signo;
		const char *found;
	} rows[] = {{"queue.Queue", "", 15, ""}, {"threading.Event", "", 15, ""},
		{"queue.Queue", "", 0, "deadlock knot 10 11 12"},
		{"queue.Queue", "", 28, "deadlock knot 10 11 12"}, /* SIGWINCH orders nothing */
		{"concurrent.futures.Future", "", 15, "stuck knot 10 11 12"},
		{"queue.Queue", "lock", 15, "stuck knot 10 11 12 13"}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		sqlite3 *db = fixture_program(3);

		object(db, 1, "object", rows[i].type);
		object(db, 2, "object", "threading.RLock");
		fixture_wait(db, 10, "join", "target_thread_id=11, read_ns=1000");
		fixture_wait(db, 11, "cond", "lock_id=1, read_ns=1000");
		fixture_wait(db, 12, "cond", "lock_id=1, read_ns=1000");
		if (rows[i].behind[0])
			fixture_wait(
				db, 13, "lock", "lock_id=2, target_thread_id=12, read_ns=1000");
		else
			fixture_sql(db, "UPDATE thread SET end_ns = 1 WHERE id = 13");
		if (rows[i].signo)
			fixture_handler(db, 1, rows[i].signo);
		EXPECT(db, rows[i].found);
	}
}

/* The handler of a Python program that waits for its children may give them work; where they wait for that, it is idle. */
TEST(stuck_python_service_of_processes)
{
	static const struct {
		int signo;
		const char *file, *found;
	} rows[] = {{0, "/usr/lib/python3/multiprocessing/queues.py", "deadlock cycle 10 20"},
		{15, "/usr/lib/python3/multiprocessing/queues.py", ""},
		{15, "/srv/app.py", "stuck cycle 10 20"}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		sqlite3 *db = fixture_family();

		fixture_sql(db, "UPDATE process SET exe = '/usr/bin/python3.11'");
		fixture_own_pipe(db, 1, 1);
		fixture_end(db, 1, 2, "r");
		fixture_wait(db, 10, "child", "target_process_id=2");
		fixture_wait(db, 20, "pipe-read", "pipe_id=1, stack_id=7");
		fixture_sql(db,
			"INSERT INTO site (id, module, offset, file) VALUES (900, 'x', 1, '%s')",
			rows[i].file);
		fixture_sql(db, "INSERT INTO frame (stack_id, depth, site_id) VALUES (7, 0, 900)");
		if (rows[i].signo)
			fixture_handler(db, 1, rows[i].signo);
		EXPECT(db, rows[i].found);
	}
}

/* A script that is executed by its own name is run by what stands before it among the arguments. */
TEST(stuck_script_by_its_name)
{
	static const struct {
		const char *command, *found;
	} rows[] = {{"[\"/usr/bin/python3\",\"/srv/app\"]", "stuck cycle 11 12"},
		{"[\"/usr/bin/python3\",\"-s\",\"/srv/app\",\"x\"]", "stuck cycle 11 12"},
		{"[\"/srv/app\",\"x\"]", ""},
		{"[\"/usr/bin/python3\",\"a\",\"b\",\"/srv/app\"]", ""}, {"[cut", ""}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		sqlite3 *db = fixture_program(2);

		fixture_sql(
			db, "UPDATE process SET exe = '/srv/app', command = '%s'", rows[i].command);
		fixture_held(db, 1, "mutex", 1, 11);
		fixture_held(db, 2, "mutex", 1, 12);
		fixture_wait(db, 11, "lock", "lock_id=2, timed=2");
		fixture_wait(db, 12, "lock", "lock_id=1, timed=2");
		fixture_wait(db, 10, "join", "target_thread_id=11");
		/* Python's own handler tells nobody to give up, as one of the program's may. */
		fixture_handler(db, 1, 2);
		EXPECT(db, rows[i].found);
	}
}

TEST(stuck_java_result_until_hook)
{
	for (int futures = 1; futures <= 2; futures++) {
		sqlite3 *db = java();

		fixture_sql(db, "UPDATE process SET hooks = 1");
		object(db, 1, "object", "java.util.concurrent.FutureTask");
		object(db, 2, "object", "java.util.concurrent.LinkedBlockingQueue");
		fixture_wait(db, 10, "cond", "lock_id=1, read_ns=1000");
		fixture_wait(db, 11, "cond",
			futures == 2 ? "lock_id=1, read_ns=1000" : "lock_id=2, read_ns=1000");
		fixture_sql(db, "UPDATE thread SET end_ns = 1 WHERE id = 12");
		EXPECT(db, futures == 2 ? "stuck cycle 10 11" : "");
	}
}

TEST(stuck_pool_of_signal_waiter)
{
	sqlite3 *db = fixture_program(1);

	fixture_lock(db, 1, "cond", 1);
	fixture_wait(db, 11, "cond", "lock_id=1");
	fixture_wait(db, 10, "signal", "");
	EXPECT(db, "");
}

TEST(stuck_barrier_one_short)
{
	sqlite3 *db = fixture_program(2);

	fixture_lock(db, 1, "barrier", 1);
	fixture_wait(db, 11, "barrier", "lock_id=1");
	fixture_wait(db, 12, "barrier", "lock_id=1");
	fixture_wait(db, 10, "join", "target_thread_id=11");
	EXPECT(db, "deadlock knot 10 11 12");
}

TEST(stuck_joins)
{
	sqlite3 *db = fixture_program(2);

	fixture_wait(db, 11, "join", "target_thread_id=12");
	fixture_wait(db, 12, "join", "target_thread_id=11");
	EXPECT(db, "deadlock cycle 11 12");
}

TEST(stuck_join_of_ended)
{
	sqlite3 *db = fixture_program(1);

	fixture_sql(db, "UPDATE thread SET end_ns = 9000000000 WHERE id = 11");
	fixture_wait(db, 10, "join", "target_thread_id=11");
	EXPECT(db, "");
}

TEST(stuck_once_recursive)
{
	sqlite3 *db = fixture_program(0);

	fixture_lock(db, 1, "once", 1);
	fixture_wait(db, 10, "once", "lock_id=1, target_thread_id=10");
	EXPECT(db, "deadlock self 10");
}

TEST(stuck_fork_copy)
{
	sqlite3 *db = with_children();

	fixture_threads(db, 1, 1);
	fixture_lock(db, 1, "mutex", 1);
	fixture_lock(db, 2, "mutex", 2);
	fixture_sql(db, "UPDATE lock SET origin_id = 1 WHERE id = 2");
	fixture_hold(db, 1, 11, "x");
	fixture_hold(db, 2, 11, "x");
	fixture_sql(db, "UPDATE lock_open SET process_id = 2 WHERE lock_id = 2");
	fixture_wait(db, 20, "lock", "lock_id=2");
	EXPECT(db, "deadlock abandoned 20");
}

TEST(stuck_fork_copy_of_forking_thread)
{
	sqlite3 *db = with_children();

	fixture_held(db, 2, "mutex", 2, 20);
	EXPECT(db, "");
}

TEST(stuck_shared_mutexes)
{
	sqlite3 *db = with_children();

	fixture_held(db, 1, "mutex", 0, 20);
	fixture_held(db, 2, "mutex", 0, 30);
	fixture_wait(db, 20, "lock", "lock_id=2");
	fixture_wait(db, 30, "lock", "lock_id=1");
	EXPECT(db, "deadlock cycle 20 30");
}

/* A process waits for a semaphore that no other one is known to map: certain at the end if all were asked meanwhile, else not shown. */
static sqlite3 *shared_semaphore(const char *mappers_ns)
{
	sqlite3 *db = fixture_program(0);

	fixture_lock(db, 1, "sem", 0);
	fixture_sql(db, "UPDATE lock SET initial = 0, mappers_ns = %s", mappers_ns);
	fixture_sql(db, "INSERT INTO lock_user (lock_id, process_id, start_ns) VALUES (1, 1, 5)");
	fixture_wait(db, 10, "sem", "lock_id=1");
	return db;
}

TEST(stuck_shared_semaphore)
{
	static const struct {
		const char *mappers_ns;
		size_t found;
	} rows[] = {{"1999999999", 1}, {"NULL", 0}, {"500", 0}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_buf_ struct buf why = BUF_INIT;
		struct findings found = {0};
		sqlite3 *db = shared_semaphore(rows[i].mappers_ns);

		ASSERT_INT(verdict_end(db, false, &(struct findings){0}, &found, &why), 0);
		ASSERT_INT(found.n, rows[i].found);
		ASSERT(!found.n || !strcmp(found.list[0].rule, "deadlock"));
		findings_free(&found);
		db_close(db);
	}
	/* While the command runs, that is asked as soon as a set is suspected. */
	EXPECT(shared_semaphore("NULL"), "deadlock abandoned 10");
}

TEST(stuck_shared_mutex_owner_dead)
{
	sqlite3 *db = with_children();

	fixture_held(db, 1, "mutex", 0, 20);
	fixture_wait(db, 30, "lock", "lock_id=1");
	fixture_sql(db, "UPDATE thread SET end_ns = 900000000 WHERE id = 20");
	fixture_sql(
		db, "UPDATE process SET end_ns = 900000000, reaped_ns = 900000001 WHERE id = 2");
	EXPECT(db, "deadlock abandoned 30");
}

TEST(stuck_file_locks)
{
	sqlite3 *db = with_children();

	fixture_held(db, 1, "file", 0, 20);
	fixture_held(db, 2, "file", 0, 30);
	fixture_wait(db, 20, "file-lock", "lock_id=2");
	fixture_wait(db, 30, "file-lock", "lock_id=1");
	EXPECT(db, "deadlock cycle 20 30");
}

/* The description of lock 2 is shared with a process that runs and may unlock it. */
TEST(stuck_file_lock_shared_description)
{
	sqlite3 *db = with_children();

	fixture_process(db, 4, 1);
	fixture_held(db, 1, "file", 0, 20);
	fixture_held(db, 2, "file", 0, 30);
	fixture_sql(db,
		"INSERT INTO lock_open (lock_id, thread_id, process_id, mode, depth, acquire_ns)"
		" VALUES (2, 30, 4, 'x', 1, 500000000)");
	fixture_wait(db, 20, "file-lock", "lock_id=2");
	fixture_wait(db, 30, "file-lock", "lock_id=1");
	EXPECT(db, "");
}

/* 2 reads pipe 1 that 3 writes, and the other way round. */
static sqlite3 *two_pipes(const char *kind)
{
	sqlite3 *db = with_children();

	fixture_pipe(db, 1, kind);
	fixture_pipe(db, 2, kind);
	fixture_end(db, 1, 2, "r");
	fixture_end(db, 1, 3, "w");
	fixture_end(db, 2, 3, "r");
	fixture_end(db, 2, 2, "w");
	return db;
}

TEST(stuck_both_reading)
{
	sqlite3 *db = two_pipes("pipe");

	fixture_wait(db, 20, "pipe-read", "pipe_id=1");
	fixture_wait(db, 30, "pipe-read", "pipe_id=2");
	EXPECT(db, "deadlock cycle 20 30");
}

TEST(stuck_both_reading_in_python)
{
	sqlite3 *db = two_pipes("pipe");

	fixture_wait(db, 20, "pipe-read", "pipe_id=1");
	fixture_wait(db, 30, "pipe-read", "pipe_id=2");
	fixture_sql(db, "INSERT INTO handler (process_id, signo, disposition, start_ns)"
			" VALUES (2, 2, 'handler', 1), (3, 2, 'handler', 1)");
	EXPECT(db, "deadlock cycle 20 30");
}

TEST(stuck_both_writing)
{
	sqlite3 *db = two_pipes("pipe");

	fixture_wait(db, 20, "pipe-write", "pipe_id=2");
	fixture_wait(db, 30, "pipe-write", "pipe_id=1");
	EXPECT(db, "deadlock cycle 20 30");
}

/* Others may open them, too. */
TEST(stuck_both_reading_fifos)
{
	sqlite3 *db = two_pipes("fifo");

	fixture_wait(db, 20, "pipe-read", "pipe_id=1");
	fixture_wait(db, 30, "pipe-read", "pipe_id=2");
	EXPECT(db, "stuck cycle 20 30");
}

TEST(stuck_both_reading_held_outside)
{
	sqlite3 *db = two_pipes("pipe");

	fixture_sql(db, "UPDATE pipe SET outside = 2 WHERE id = 2");
	fixture_wait(db, 20, "pipe-read", "pipe_id=1");
	fixture_wait(db, 30, "pipe-read", "pipe_id=2");
	EXPECT(db, "");
}

TEST(stuck_both_reading_older_than_trace)
{
	sqlite3 *db = two_pipes("pipe");

	fixture_sql(db, "UPDATE pipe SET created_ns = NULL WHERE id = 2");
	fixture_wait(db, 20, "pipe-read", "pipe_id=1");
	fixture_wait(db, 30, "pipe-read", "pipe_id=2");
	EXPECT(db, "");
}

TEST(stuck_reader_of_running_writer)
{
	sqlite3 *db = two_pipes("pipe");

	fixture_wait(db, 20, "pipe-read", "pipe_id=1");
	EXPECT(db, "");
}

TEST(stuck_writer_sleeps)
{
	sqlite3 *db = two_pipes("pipe");

	fixture_wait(db, 20, "pipe-read", "pipe_id=1");
	fixture_wait(db, 30, "sleep", "");
	EXPECT(db, "");
}

TEST(stuck_socketpair)
{
	sqlite3 *db = with_children();

	fixture_joined(db, 1, "socketpair", 2, "rw", 3, "rw");
	fixture_sql(db, "UPDATE pipe_end SET side = 1 WHERE process_id = 3");
	fixture_wait(db, 20, "pipe-read", "pipe_id=1, side=0");
	fixture_wait(db, 30, "pipe-read", "pipe_id=1, side=1");
	EXPECT(db, "deadlock cycle 20 30");
}

/* The same where each has kept both sides, as multiprocessing.Pipe and a fork leave them, and one catches a signal. */
TEST(stuck_socketpair_both_sides_kept)
{
	sqlite3 *db = fixture_family();

	fixture_joined(db, 1, "socketpair", 1, "rw", 2, "rw");
	fixture_end(db, 1, 1, "rw");
	fixture_end(db, 1, 2, "rw");
	fixture_sql(db, "UPDATE pipe_end SET side = 1 WHERE id > 2");
	fixture_handler(db, 1, 2);
	fixture_wait(db, 10, "pipe-read", "pipe_id=1, side=0");
	fixture_wait(db, 20, "pipe-read", "pipe_id=1, side=1");
	EXPECT(db, "stuck cycle 10 20");
}

/* Two processes at the two sides of a connection; outside: which sides others may hold. */
static sqlite3 *connected(const char *kind, int outside)
{
	sqlite3 *db = with_children();

	fixture_pipe(db, 1, kind);
	fixture_sql(db, "UPDATE pipe SET inode2 = 999, outside = %d", outside);
	fixture_end(db, 1, 2, "rw");
	fixture_end(db, 1, 3, "rw");
	fixture_sql(db, "UPDATE pipe_end SET side = 1 WHERE process_id = 3");
	fixture_wait(db, 20, "pipe-read", "pipe_id=1, side=0");
	fixture_wait(db, 30, "pipe-read", "pipe_id=1, side=1");
	return db;
}

TEST(stuck_connection)
{
	EXPECT(connected("unix", 0), "deadlock cycle 20 30");
	EXPECT(connected("tcp", 0), "deadlock cycle 20 30");
}

/* A recording does not tell what was under way in a TCP connection; who looked while it stood knows. */
TEST(stuck_connection_flight)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct findings told = {0}, found = {0};
	sqlite3 *db = connected("tcp", 0);

	ASSERT_INT(verdict_end(db, false, &(struct findings){0}, &found, &why), 0);
	ASSERT_INT(found.n, 0);
	findings_free(&found);
	ASSERT_INT(verdict_end(db, true, &(struct findings){0}, &found, &why), 0);
	ASSERT_INT(found.n, 1);
	ASSERT_STR(found.list[0].rule, "stuck");
	findings_free(&found);
	ASSERT_INT(verdict_stuck(db, INT64_MAX, false, &told, &why), 0);
	ASSERT_STR(told.list[0].rule, "deadlock");
	for (int all = 0; all < 2; all++) {
		ASSERT_INT(verdict_end(db, all, &told, &found, &why), 0);
		ASSERT_INT(found.n, 1);
		ASSERT_STR(found.list[0].rule, "deadlock");
		findings_free(&found);
	}
	findings_free(&told);
	db_close(db);
}

TEST(stuck_connection_from_outside)
{
	EXPECT(connected("unix", 1), "");
	EXPECT(connected("tcp", 2), "");
}

/* Until somebody accepts a connection it is with whoever listens: here the one who waits. */
static sqlite3 *unaccepted(int listener_outside)
{
	sqlite3 *db = with_children();

	fixture_pipe(db, 1, "listen");
	fixture_sql(db, "UPDATE pipe SET outside = %d", listener_outside);
	fixture_end(db, 1, 2, "rw");
	fixture_pipe(db, 2, "tcp");
	fixture_sql(db, "UPDATE pipe SET inode2 = NULL, outside = 2, listener_id = 1 WHERE id = 2");
	fixture_end(db, 2, 2, "rw");
	fixture_wait(db, 20, "pipe-read", "pipe_id=2, side=0");
	return db;
}

TEST(stuck_asks_itself)
{
	EXPECT(unaccepted(2), "deadlock self 20");
}

TEST(stuck_asks_who_may_listen_elsewhere)
{
	EXPECT(unaccepted(3), "");
}

/* The parent waits for the child before it reads what the child writes. */
TEST(stuck_wait_before_read)
{
	sqlite3 *db = fixture_family();

	fixture_joined(db, 1, "pipe", 1, "r", 2, "w");
	fixture_wait(db, 10, "child", "target_process_id=2");
	fixture_wait(db, 20, "pipe-write", "pipe_id=1");
	EXPECT(db, "deadlock cycle 10 20");
}

/* The same beside another child, which goes on and may send signals: it may end the first. A parent of them all only gives them up. */
TEST(stuck_child_that_a_sibling_may_kill)
{
	for (int who = 0; who <= 3; who += 3) {
		sqlite3 *db = fixture_family();

		fixture_process(db, 3, 1);
		fixture_joined(db, 1, "pipe", 1, "r", 2, "w");
		fixture_wait(db, 10, "child", "target_process_id=2");
		fixture_wait(db, 20, "pipe-write", "pipe_id=1");
		fixture_sql(db, "UPDATE process SET reopens = 4 WHERE id = %d", who);
		EXPECT(db, who ? "stuck cycle 10 20" : "deadlock cycle 10 20");
	}
}

/* A runner that watches over those who wait for each other, and one of these that could end the other, help nobody. */
TEST(stuck_children_that_a_parent_may_kill)
{
	sqlite3 *db = fixture_family();

	fixture_process(db, 3, 2);
	fixture_joined(db, 1, "pipe", 2, "r", 3, "w");
	fixture_wait(db, 20, "child", "target_process_id=3");
	fixture_wait(db, 30, "pipe-write", "pipe_id=1");
	fixture_sql(db, "UPDATE process SET reopens = 4");
	EXPECT(db, "deadlock cycle 20 30");
}

/* Who waits for himself is not helped by his end. */
TEST(stuck_killed_at_its_own_lock)
{
	sqlite3 *db = fixture_program(0);

	fixture_process(db, 2, 1);
	fixture_sql(db, "UPDATE process SET reopens = 4 WHERE id = 2");
	fixture_own_pipe(db, 1, 1);
	fixture_wait(db, 10, "pipe-read", "pipe_id=1");
	EXPECT(db, "deadlock self 10");
}

TEST(stuck_own_write_end)
{
	sqlite3 *db = fixture_program(0);

	fixture_own_pipe(db, 1, 1);
	fixture_wait(db, 10, "pipe-read", "pipe_id=1");
	EXPECT(db, "deadlock self 10");
}

/* Process 2 is alive, and its program names /proc/PID/fd. */
TEST(stuck_pipe_that_may_be_reopened)
{
	sqlite3 *db = fixture_program(0);

	fixture_process(db, 2, 1);
	fixture_sql(db, "UPDATE process SET reopens = 1 WHERE id = 2");
	fixture_own_pipe(db, 1, 1);
	fixture_wait(db, 10, "pipe-read", "pipe_id=1");
	EXPECT(db, "stuck self 10");
}

/* The same where the other process takes descriptors out of others, which it can do of a socket, too. */
TEST(stuck_socketpair_whose_end_may_be_taken)
{
	sqlite3 *db = fixture_program(0);

	fixture_process(db, 2, 1);
	fixture_sql(db, "UPDATE process SET reopens = 2 WHERE id = 2");
	fixture_own_pipe(db, 1, 1);
	fixture_sql(db, "UPDATE pipe SET kind = 'socketpair'");
	fixture_sql(db, "UPDATE pipe_end SET side = (rowid & 1), mode = 'rw'");
	fixture_wait(db, 10, "pipe-read", "pipe_id=1");
	EXPECT(db, "stuck self 10");
}

/* Shared memory is a file, too, whether another process opens it again or takes its descriptor. */
TEST(stuck_memory_that_may_be_mapped_by_reopening)
{
	for (int how = 0; how <= 2; how++) {
		sqlite3 *db = shared_semaphore("1999999999");

		fixture_process(db, 2, 1);
		fixture_sql(db, "UPDATE process SET reopens = %d WHERE id = 2", how);
		EXPECT(db, how ? "stuck abandoned 10" : "deadlock abandoned 10");
	}
}

TEST(stuck_pipe_end_under_way)
{
	sqlite3 *db = fixture_program(0);

	fixture_pipe(db, 1, "pipe");
	fixture_sql(db, "UPDATE pipe SET sent_ns = 5");
	fixture_end(db, 1, 1, "r");
	fixture_end(db, 1, 1, "w");
	fixture_wait(db, 10, "pipe-read", "pipe_id=1");
	EXPECT(db, "");
}

TEST(stuck_self_pipe_of_server)
{
	sqlite3 *db = fixture_program(0);

	fixture_own_pipe(db, 1, 1);
	fixture_handler(db, 1, 15);
	fixture_wait(db, 10, "pipe-read", "pipe_id=1");
	EXPECT(db, "");
}

TEST(stuck_end_of_file_on_its_way)
{
	sqlite3 *db = fixture_program(0);

	fixture_pipe(db, 1, "pipe");
	fixture_end(db, 1, 1, "r");
	fixture_wait(db, 10, "pipe-read", "pipe_id=1");
	EXPECT(db, "");
}

TEST(stuck_mutex_across_pipe)
{
	sqlite3 *db = fixture_program(2);

	fixture_held(db, 1, "mutex", 1, 11);
	fixture_own_pipe(db, 1, 1);
	fixture_wait(db, 11, "pipe-read", "pipe_id=1");
	fixture_wait(db, 12, "lock", "lock_id=1");
	fixture_wait(db, 10, "join", "target_thread_id=12");
	EXPECT(db, "deadlock knot 10 11 12");
}

TEST(stuck_fifo_nobody_opens)
{
	sqlite3 *db = fixture_program(0);

	fixture_pipe(db, 1, "fifo");
	fixture_wait(db, 10, "fifo-open", "pipe_id=1, mode='r'");
	/* A daemon that takes its orders from there. */
	EXPECT(db, "");
}

TEST(stuck_fifo_nobody_opens_for_a_parent)
{
	sqlite3 *db = fixture_program(0);

	fixture_process(db, 2, 1);
	fixture_pipe(db, 1, "fifo");
	fixture_wait(db, 20, "fifo-open", "pipe_id=1, mode='r'");
	fixture_wait(db, 10, "child", "target_process_id=2");
	EXPECT(db, "stuck cycle 10 20");
}

/* 1 has a FIFO for both sides, and waits for a program that reads it; read: so many bytes have come out of it. */
static sqlite3 *handed_down(int read)
{
	sqlite3 *db = fixture_program(0);

	fixture_process(db, 2, 1);
	fixture_sql(db, "UPDATE process SET exe = '/bin/' || id, command = '[\"' || id || '\"]'");
	fixture_joined(db, 1, "fifo", 1, "rw", 2, "rw");
	fixture_sql(db, "UPDATE pipe_end SET open_via = 'opened' WHERE process_id = 1");
	if (read)
		fixture_sql(db,
			"INSERT INTO pipe_io (pipe_id, thread_id, fd, op, start_ns, end_ns, bytes)"
			" VALUES (1, 20, 3, 'read', 7, 8, %d)",
			read);
	fixture_wait(db, 20, "pipe-read", "pipe_id=1");
	fixture_wait(db, 10, "child", "target_process_id=2");
	return db;
}

TEST(stuck_fifo_handed_down)
{
	EXPECT(handed_down(0), "stuck cycle 10 20");
}

/* Somebody outside writes to it: it keeps a log of what comes. */
TEST(stuck_fifo_fed_from_outside)
{
	EXPECT(handed_down(5), "");
}

/* A socket that is connected to itself gives back what is written to it. */
TEST(stuck_connected_to_itself)
{
	for (int threads = 0; threads < 2; threads++) {
		sqlite3 *db = fixture_program(threads);

		fixture_pipe(db, 1, "tcp");
		fixture_sql(db,
			"UPDATE pipe SET outside = 2, inode2 = NULL, local = '127.0.0.1:9', remote = '127.0.0.1:9'");
		fixture_end(db, 1, 1, "rw");
		fixture_wait(db, 10, "pipe-read", "pipe_id=1, side=0");
		/* With another thread: that may write to it. */
		EXPECT(db, threads ? "" : "deadlock self 10");
	}
}

/* Whoever opens one of them from outside lets them all go on. */
TEST(stuck_fifos_in_opposite_orders)
{
	sqlite3 *db = with_children();

	fixture_pipe(db, 1, "fifo");
	fixture_pipe(db, 2, "fifo");
	fixture_wait(db, 20, "fifo-open", "pipe_id=1, mode='r'");
	fixture_wait(db, 30, "fifo-open", "pipe_id=2, mode='r'");
	EXPECT(db, "stuck knot 10 20 30");
}

TEST(stuck_fifo_beside_live_process)
{
	sqlite3 *db = with_children();

	fixture_pipe(db, 1, "fifo");
	fixture_wait(db, 20, "fifo-open", "pipe_id=1, mode='r'");
	EXPECT(db, "");
}

TEST(stuck_spawn_in_fifo_open)
{
	sqlite3 *db = fixture_family();

	fixture_pipe(db, 1, "fifo");
	fixture_wait(db, 10, "vfork", "target_process_id=2");
	fixture_wait(db, 20, "fifo-open", "pipe_id=1, mode='r'");
	EXPECT(db, "stuck cycle 10 20");
}

/* make sleeps on its own jobserver pipe; SIGCHLD wakes it. */
static sqlite3 *jobserver(bool child_lives)
{
	sqlite3 *db = fixture_family();

	fixture_pipe(db, 1, "pipe");
	for (int p = 1; p <= 2; p++) {
		fixture_end(db, 1, p, "r");
		fixture_end(db, 1, p, "w");
	}
	fixture_handler(db, 1, 17);
	fixture_wait(db, 10, "pipe-read", "pipe_id=1");
	if (!child_lives) {
		fixture_held(db, 1, "mutex", 2, 20);
		fixture_wait(db, 20, "lock", "lock_id=1");
	}
	return db;
}

TEST(stuck_jobserver)
{
	EXPECT(jobserver(true), "");
}

TEST(stuck_jobserver_over_dead_child)
{
	EXPECT(jobserver(false), "deadlock self 20");
}

TEST(stuck_shell_in_sigsuspend)
{
	sqlite3 *db = fixture_family();

	fixture_handler(db, 1, 17);
	fixture_wait(db, 10, "signal", "sigmask=0");
	EXPECT(db, "");
}

TEST(stuck_idle_event_loop)
{
	sqlite3 *db = fixture_program(0);

	fixture_joined(db, 1, "socketpair", 1, "rw", 1, "rw");
	fixture_sql(db, "UPDATE pipe_end SET side = 1 WHERE id = 2");
	fixture_handler(db, 1, 2);
	fixture_wait(db, 10, "poll", "");
	fixture_sql(db, "INSERT INTO wait_on VALUES (10, 0, 5, \'pipe\', \'r\', 1, 0, NULL)");
	EXPECT(db, "");
}

TEST(stuck_poll_of_own_pipe)
{
	sqlite3 *db = fixture_program(0);

	fixture_own_pipe(db, 1, 1);
	fixture_wait(db, 10, "poll", "");
	fixture_sql(db, "INSERT INTO wait_on VALUES (10, 0, 5, \'pipe\', \'r\', 1, 0, NULL)");
	/* An event loop at rest, also one started with all signals ignored. */
	EXPECT(db, "");
}

TEST(stuck_poll_with_socket)
{
	sqlite3 *db = fixture_program(0);

	fixture_pipe(db, 1, "pipe");
	fixture_end(db, 1, 1, "w");
	fixture_wait(db, 10, "poll", "");
	fixture_sql(db, "INSERT INTO wait_on VALUES (10, 0, 5, \'pipe\', \'r\', 1, 0, NULL)");
	fixture_sql(db, "INSERT INTO wait_on VALUES (10, 1, 6, 'socket', 'r', NULL, NULL, NULL)");
	EXPECT(db, "");
}

/* Whoever knows a queue can use it: what waits for one is at rest, unless somebody waits for it in turn. */
TEST(stuck_ipc)
{
	sqlite3 *db = fixture_program(1);

	fixture_wait(db, 11, "ipc", "");
	fixture_wait(db, 10, "ipc", "");
	EXPECT(db, "");
	db = fixture_program(1);
	fixture_wait(db, 11, "ipc", "");
	fixture_wait(db, 10, "join", "target_thread_id=11");
	EXPECT(db, "stuck cycle 10 11");
}

/* connect to a socket whose queue is full, held by the one who connects. */
TEST(stuck_connect_to_itself)
{
	sqlite3 *db = with_children();

	fixture_pipe(db, 1, "listen");
	fixture_sql(db, "UPDATE pipe SET outside = 2");
	fixture_end(db, 1, 2, "rw");
	fixture_wait(db, 20, "socket", "pipe_id=1");
	EXPECT(db, "deadlock self 20");
}

TEST(stuck_live_reasons)
{
	static const char *const reasons[] = {"sleep", "tty", "file", "socket", "stopped", "other",
		"none", "poll", "something new"};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		sqlite3 *db = fixture_program(1);

		fixture_wait(db, 11, reasons[i], "");
		fixture_wait(db, 10, "join", "target_thread_id=11");
		EXPECT(db, "");
	}
}

/* Somebody joins a loop that no handler could tell to end. */
TEST(stuck_loop_joined)
{
	sqlite3 *db = fixture_program(1);

	fixture_wait(db, 11, "eventfd", "");
	fixture_wait(db, 10, "join", "target_thread_id=11");
	EXPECT(db, "stuck cycle 10 11");
}

TEST(stuck_loop_joined_until_term)
{
	sqlite3 *db = fixture_program(1);

	fixture_wait(db, 11, "eventfd", "");
	fixture_wait(db, 10, "join", "target_thread_id=11");
	fixture_handler(db, 1, 15);
	EXPECT(db, "");
}

TEST(stuck_timerfd_at_rest)
{
	sqlite3 *db = fixture_program(1);

	fixture_wait(db, 11, "poll", "");
	fixture_sql(db, "INSERT INTO wait_on VALUES (11, 0, 6, 'timerfd', 'r', NULL, NULL, NULL)");
	fixture_wait(db, 10, "join", "target_thread_id=11");
	EXPECT(db, "stuck cycle 10 11");
}

TEST(stuck_timerfd_armed)
{
	sqlite3 *db = fixture_program(1);

	fixture_wait(db, 11, "poll", "");
	fixture_sql(db, "INSERT INTO wait_on VALUES (11, 0, 6, 'timerfd', 'r', NULL, NULL, NULL)");
	fixture_sql(db, "INSERT INTO timer (process_id, kind, armed_ns, expires_ns, interval_ns)"
			" VALUES (1, 'timerfd', 1, 90000000000, 0)");
	fixture_wait(db, 10, "join", "target_thread_id=11");
	EXPECT(db, "");
}

TEST(stuck_futex_nobody_left)
{
	sqlite3 *db = fixture_program(1);

	fixture_lock(db, 1, "futex", 1);
	fixture_wait(db, 10, "futex", "lock_id=1");
	fixture_wait(db, 11, "futex", "lock_id=1");
	EXPECT(db, "deadlock cycle 10 11");
}

TEST(stuck_child_that_hangs)
{
	sqlite3 *db = with_children();

	fixture_held(db, 1, "mutex", 2, 20);
	fixture_wait(db, 20, "lock", "lock_id=1");
	EXPECT(db, "deadlock self 20");
}

TEST(stuck_child_is_stopped)
{
	sqlite3 *db = fixture_family();

	fixture_wait(db, 10, "child", "target_process_id=2");
	fixture_wait(db, 20, "stopped", "");
	EXPECT(db, "");
}

/* By a signal, and everybody else is blocked. */
TEST(stuck_child_may_be_continued)
{
	sqlite3 *db = fixture_family();

	fixture_wait(db, 10, "child", "target_process_id=2");
	fixture_wait(db, 20, "stopped", "mode='c'");
	EXPECT(db, "stuck abandoned 20");
}

/* Nobody waits for it: a job that somebody has put aside. */
TEST(stuck_job_is_stopped)
{
	sqlite3 *db = fixture_program(0);

	fixture_wait(db, 10, "stopped", "mode='wc'");
	EXPECT(db, "");
}

TEST(stuck_child_stopped_by_pptrace)
{
	sqlite3 *db = fixture_family();

	fixture_wait(db, 10, "child", "target_process_id=2");
	fixture_wait(db, 20, "stopped", "mode='c'");
	fixture_sql(db, "INSERT INTO signal (process_id, signo, name, source, sent_ns, result)"
			" VALUES (2, 19, 'SIGSTOP', 'pptrace', 1, 'queued')");
	EXPECT(db, "");
}

TEST(stuck_zombie_can_be_reaped)
{
	sqlite3 *db = with_children();

	fixture_sql(db, "UPDATE thread SET end_ns = 2000000000 WHERE process_id IN (2, 3)");
	fixture_sql(db, "UPDATE process SET end_ns = 2000000000 WHERE id IN (2, 3)");
	EXPECT(db, "");
}

/* What was ended from outside is still found, and so is what exit() swept away. */
TEST(stuck_ended_by_signal)
{
	sqlite3 *db = abba();

	fixture_sql(db, "UPDATE wait SET end_ns = 8000000000 + thread_id");
	fixture_sql(db, "UPDATE thread SET end_ns = 8000001000, cut_short = 1");
	fixture_sql(db,
		"UPDATE process SET end_ns = 8000001000, end_kind = 'signal', exit_signal = 15");
	EXPECT_RULES(db, "deadlock", "deadlock");
}

/* On a busy machine its threads die one after the other, and more signals come in between. */
TEST(stuck_killed_again_while_it_dies)
{
	sqlite3 *db = abba();

	fixture_sql(db, "UPDATE wait SET end_ns = 8000000000 + 8000000 * thread_id");
	fixture_sql(db, "UPDATE thread SET end_ns = 8000000100 + 8000000 * id, cut_short = 1");
	fixture_sql(
		db, "UPDATE process SET end_ns = 8200000000, end_kind = 'signal', exit_signal = 9");
	fixture_sql(db, "INSERT INTO signal (signo, name, source, process_id, sent_ns, result)"
			" VALUES (9, 'SIGKILL', 'kill', 1, 8000000000, 'queued'),"
			" (9, 'SIGKILL', 'kill', 1, 8190000000, 'ignored')");
	EXPECT_RULES(db, "deadlock", "deadlock");
}

TEST(stuck_swept_away_by_exit)
{
	sqlite3 *db = abba();

	fixture_sql(db, "UPDATE wait SET end_ns = 8000000000 + thread_id");
	fixture_sql(
		db, "UPDATE wait SET reason = 'sleep', end_ns = 7900000000 WHERE thread_id = 10");
	fixture_sql(db, "UPDATE thread SET end_ns = 8000001000, cut_short = (id <> 10)");
	fixture_sql(db, "UPDATE process SET end_ns = 8000001000, end_kind = 'exit', exit_code = 0");
	EXPECT_RULES(db, "deadlock", "deadlock");
}

/* A busy machine: woken, and not run for a while; then it went on. */
TEST(stuck_dissolved_by_itself)
{
	sqlite3 *db = abba();

	fixture_sql(db, "UPDATE wait SET end_ns = 8000000000 + thread_id");
	fixture_sql(db, "UPDATE thread SET end_ns = 8000001000, cut_short = 0");
	fixture_sql(db, "UPDATE process SET end_ns = 8000001000, end_kind = 'exit', exit_code = 0");
	EXPECT_RULES(db, NULL, "");
}

/* Two crossed threads of a process that was killed later on. */
static sqlite3 *killed_later(int signo)
{
	sqlite3 *db = abba();

	fixture_sql(db, "UPDATE wait SET end_ns = 8000000000 + thread_id");
	fixture_sql(db, "UPDATE thread SET end_ns = 8400000000, cut_short = 1");
	fixture_sql(db,
		"UPDATE process SET end_ns = 8400000000, end_kind = 'signal', exit_signal = %d",
		signo);
	return db;
}

/* Somebody who was no member had woken one by a call before the process was killed. */
TEST(stuck_woken_before_it_was_killed)
{
	sqlite3 *db = killed_later(15);

	EXPECT_RULES(db, "deadlock", "deadlock");
	db = killed_later(15);
	fixture_sql(db, "UPDATE wait SET waker_id = 10 WHERE thread_id = 11");
	EXPECT_RULES(db, NULL, "");
}

/* One of them left its wait, waited for something else, and died of what it did itself. */
TEST(stuck_went_on_before_it_was_killed)
{
	sqlite3 *db = killed_later(15);

	fixture_sql(db, "UPDATE wait SET end_ns = 7800000000 WHERE thread_id = 11");
	fixture_sql(db, "INSERT INTO wait (thread_id, start_ns, end_ns, reason)"
			" VALUES (11, 7800000100, 8390000000, 'sleep')");
	EXPECT_RULES(db, NULL, "");
	db = killed_later(13);
	fixture_sql(db,
		"INSERT INTO signal (signo, name, source, process_id, thread_id, sent_ns, result)"
		" VALUES (13, 'SIGPIPE', 'kernel', 1, 11, 8350000000, 'queued')");
	EXPECT_RULES(db, NULL, "");
	/* Who kills a whole tree stops it first. */
	db = killed_later(9);
	fixture_sql(db,
		"INSERT INTO wait (thread_id, start_ns, end_ns, reason) VALUES"
		" (11, 8000000100, 8390000000, 'stopped'), (12, 8000000100, 8390000000, 'stopped')");
	EXPECT_RULES(db, "deadlock", "deadlock");
	/* The other threads of a process that aborts did not go on. */
	db = killed_later(6);
	fixture_sql(db,
		"INSERT INTO signal (signo, name, source, process_id, thread_id, sender_id, sent_ns, result)"
		" VALUES (6, 'SIGABRT', 'thread', 1, 10, 10, 7999000000, 'queued')");
	EXPECT_RULES(db, "deadlock", "deadlock");
}

TEST(stuck_many_threads_in_time)
{
	enum { N = 10000 };
	sqlite3 *db = fixture_program(0);
	_cleanup_free_ char *found = NULL;
	uint64_t begun, took;

	fixture_lock(db, 1, "cond", 1);
	fixture_sql(db, "BEGIN");
	fixture_wait(db, 10, "join", "target_thread_id=101");
	for (int i = 1; i <= N; i++) {
		fixture_sql(db,
			"INSERT INTO thread (id, tid, process_id, start_ns) VALUES (%d, %d, 1, 5)",
			100 + i, 100 + i);
		fixture_sql(db,
			"INSERT INTO wait (thread_id, start_ns, reason, lock_id)"
			" VALUES (%d, 1000000000, 'cond', 1)",
			100 + i);
	}
	fixture_sql(db, "COMMIT");
	begun = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	found = fixture_stuck(db);
	took = clock_ns(CLOCK_THREAD_CPUTIME_ID) - begun;
	ASSERT(strstr(found, "deadlock knot 10 101"));
	/* Processor time: what else the machine does is no matter. It takes a tenth of this. */
#ifndef __SANITIZE_ADDRESS__ /* a sanitizer build says nothing about time */
	ASSERT(took < 5000000000u);
#else
	(void)took;
#endif
	db_close(db);
}

/* Two threads that crossed and were killed, among many short holds: one hold was written at a commit, one when it ended. */
TEST(stuck_in_the_past)
{
	sqlite3 *db = fixture_program(2);
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct findings fs = {0};

	for (int i = 1; i <= 3; i++) {
		fixture_lock(db, i, "mutex", 1);
		fixture_sql(db,
			"INSERT INTO lock_stat (lock_id, holds, contended, wait_ns, max_wait_ns,"
			" hold_ns, max_hold_ns, threads) VALUES (%d, 9, 1, 9, 9, 9, %s, 1)",
			i, i < 3 ? "9000000000" : "1000");
	}
	fixture_sql(db, "UPDATE trace SET duration_ns = 40000000000");
	fixture_sql(db, "UPDATE thread SET end_ns = 29000000000, cut_short = 1 WHERE id > 10");
	fixture_wait(db, 11, "lock", "lock_id=2, start_ns=20500000000, end_ns=29000000000");
	fixture_wait(db, 12, "lock", "lock_id=1, start_ns=20600000000, end_ns=29000000000");
	fixture_sql(db, "BEGIN");
	for (int i = 1; i <= 40000; i++) {
		/* Lock 1 is taken at 20 s by thread 11 and written at 20.1 s; lock 2 at 20.2 s by 12, written at 29 s. */
		bool early = i == 20100, late = i == 29000;

		fixture_sql(db,
			"INSERT INTO lock_hold (id, lock_id, thread_id, acquire_ns, release_ns)"
			" VALUES (%d, %d, %d, %d000000, %d000000 + 900)",
			i,
			early  ? 1
			: late ? 2
			       : 3,
			early  ? 11
			: late ? 12
			       : 10,
			early  ? 20000
			: late ? 20200
			       : i,
			early ? 29000 : i);
	}
	fixture_sql(db, "COMMIT");
	ASSERT_INT(verdict_stuck(db, 25000000000, false, &fs, &why), 0);
	ASSERT_INT(fs.n, 1);
	ASSERT_STR(fs.list[0].rule, "deadlock");
	ASSERT_INT(fs.list[0].n_members, 2);
	findings_free(&fs);
	db_close(db);
}
