/* rules.c - tests of the rules: each is broken once, and silent on a healthy twin. */
/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/mem.h"
#include "schema/db.h"
#include "tests/unit/fixture.h"
#include "tests/unit/test.h"
#include "verdict/lessons.h"
#include "verdict/verdict.h"

#define EXPECT EXPECT_RULES

static void ends(sqlite3 *db, int process, double at)
{
	fixture_sql(db, "UPDATE thread SET end_ns = %.0f WHERE process_id = %d", at * 1e9, process);
	fixture_sql(db,
		"UPDATE process SET end_ns = %.0f, end_kind = 'exit', exit_code = 0 WHERE id = %d",
		at * 1e9, process);
}

TEST(rules_nothing)
{
	EXPECT(fixture_family(), NULL, "");
}

TEST(rules_zombie)
{
	sqlite3 *db = fixture_family();

	ends(db, 2, 2);
	fixture_sql(db, "UPDATE process SET reaped_ns = 4000000000, reaper_id = 10 WHERE id = 2");
	EXPECT(db, "zombie", "zombie");
}

TEST(rules_zombie_reaped_soon)
{
	sqlite3 *db = fixture_family();

	ends(db, 2, 2);
	fixture_sql(db, "UPDATE process SET reaped_ns = 2900000000, reaper_id = 10 WHERE id = 2");
	EXPECT(db, NULL, "");
}

/* On a busy machine who waits for it may get a processor late. */
TEST(rules_zombie_waited_for)
{
	for (int other = 0; other < 2; other++) {
		sqlite3 *db = fixture_family();

		fixture_process(db, 3, 1);
		ends(db, 2, 2);
		fixture_sql(db,
			"UPDATE process SET reaped_ns = 4000000000, reaper_id = 10 WHERE id = 2");
		fixture_wait(db, 10, "child", "end_ns = 3999999999");
		fixture_sql(db, "UPDATE wait SET target_process_id = %d", 2 + other);
		EXPECT(db, "zombie", other ? "zombie" : "");
	}
}

TEST(rules_zombie_reaped_by_kernel)
{
	sqlite3 *db = fixture_family();

	ends(db, 2, 2);
	fixture_sql(db, "UPDATE process SET autoreap = 1 WHERE id = 2");
	EXPECT(db, NULL, "");
}

TEST(rules_zombie_of_ended_parent)
{
	sqlite3 *db = fixture_family();

	ends(db, 2, 2);
	ends(db, 1, 2.5);
	EXPECT(db, NULL, "");
}

TEST(rules_orphan)
{
	sqlite3 *db = fixture_family();

	ends(db, 1, 2);
	ends(db, 2, 3);
	EXPECT(db, NULL, "orphan");
}

/* pptrace kills the whole tree, and may be done before it has seen the last of it end. */
TEST(rules_no_orphans_of_killed)
{
	sqlite3 *db = fixture_family();

	ends(db, 1, 2);
	fixture_sql(db, "UPDATE process SET end_kind = 'signal', exit_signal = 9, exit_code = NULL"
			" WHERE id = 1");
	fixture_sql(db, "UPDATE trace SET duration_ns = 2500000000");
	EXPECT(db, "orphan", "");
}

/* A parent that kills its child and ends at once; what was killed later had kept running. */
TEST(rules_no_orphan_that_was_killed_with_its_parent)
{
	for (int late = 0; late < 2; late++) {
		sqlite3 *db = fixture_family();

		ends(db, 1, 2);
		ends(db, 2, late ? 2.5 : 2.001);
		fixture_sql(db, "UPDATE process SET end_kind = 'signal', exit_signal = 1,"
				" exit_code = NULL WHERE id = 2");
		EXPECT(db, "orphan", late ? "orphan" : "");
	}
}

/* On a busy machine it dies late of what was sent before its parent ended. */
TEST(rules_no_orphan_that_dies_late)
{
	for (int late = 0; late < 2; late++) {
		sqlite3 *db = fixture_family();

		ends(db, 1, 2);
		ends(db, 2, 3);
		fixture_sql(db, "UPDATE process SET end_kind = 'signal', exit_signal = 9,"
				" exit_code = NULL WHERE id = 2");
		fixture_sql(db,
			"INSERT INTO signal (signo, name, source, process_id, sender_id, sent_ns, result)"
			" VALUES (9, 'SIGKILL', 'kill', 2, 10, %s, 'queued')",
			late ? "2900000000" : "1999000000");
		EXPECT(db, "orphan", late ? "orphan" : "");
	}
}

static sqlite3 *killed_by(int signo, const char *source, int sender)
{
	sqlite3 *db = fixture_family();

	ends(db, 2, 2);
	fixture_sql(db,
		"UPDATE process SET end_kind = 'signal', exit_signal = %d, reaped_ns = 2000000001"
		" WHERE id = 2",
		signo);
	fixture_sql(db,
		"INSERT INTO signal (signo, name, source, sender_id, process_id, sent_ns)"
		" VALUES (%d, 'SIG', '%s', nullif(%d, 0), 2, 1999999999)",
		signo, source, sender);
	return db;
}

TEST(rules_crash)
{
	EXPECT(killed_by(11, "kernel", 0), NULL, "crash");
}

TEST(rules_crash_by_abort)
{
	EXPECT(killed_by(6, "thread", 20), NULL, "crash");
}

/* What is advised is possible: a core file is opened where one was left. */
TEST(rules_crash_remedy)
{
	for (int core = 0; core < 2; core++) {
		sqlite3 *db = killed_by(11, "kernel", 0);
		_cleanup_buf_ struct buf why = BUF_INIT;
		struct findings found = {0};

		fixture_sql(db, "UPDATE process SET core_dumped = %d", core);
		ASSERT_INT(verdict_all(db, INT64_MAX, NULL, false, &found, &why), 0);
		ASSERT_INT(found.n, 1);
		ASSERT_INT(!strncmp(found.list[0].remedy, "Open its core file", 18), core);
		findings_free(&found);
		db_close(db);
	}
}

TEST(rules_crash_sent_by_kill)
{
	EXPECT(killed_by(11, "kill", 10), NULL, "");
	EXPECT(killed_by(6, "kill", 0), NULL, "");
	EXPECT(killed_by(3, "tty", 0), NULL, "");
	EXPECT(killed_by(15, "kill", 0), NULL, "");
}

TEST(rules_unlock_not_owner)
{
	sqlite3 *db = fixture_family();

	fixture_lock(db, 1, "mutex", 1);
	fixture_sql(db, "INSERT INTO lock_error (lock_id, thread_id, ts_ns, kind, errno, owner_id)"
			" VALUES (1, 20, 5, 'unlock', 0, 10), (1, 20, 6, 'deadlock', 35, NULL)");
	EXPECT(db, NULL, "unlock-not-owner");
}

static sqlite3 *left_locked(const char *type, int cut_short)
{
	sqlite3 *db = fixture_program(1);

	fixture_lock(db, 1, "mutex", 1);
	fixture_sql(db, "UPDATE lock SET type = '%s'", type);
	fixture_hold(db, 1, 11, "x");
	fixture_sql(db, "UPDATE thread SET end_ns = 900000000, cut_short = %d WHERE id = 11",
		cut_short);
	fixture_wait(db, 10, "sleep", "start_ns = 3000000000");
	return db;
}

TEST(rules_exit_holding_lock)
{
	EXPECT(left_locked("normal", 0), NULL, "exit-holding-lock");
	EXPECT(left_locked("normal+robust", 0), NULL, "");
	EXPECT(left_locked("normal", 1), NULL, "");
}

/* A thread of a runtime that shuts down just before its process ends. */
TEST(rules_exit_holding_lock_at_the_end)
{
	sqlite3 *db = left_locked("normal", 0);

	fixture_sql(db, "UPDATE wait SET start_ns = 950000000, end_ns = 1000000000");
	ends(db, 1, 1.05);
	fixture_sql(db, "UPDATE thread SET end_ns = 900000000 WHERE id = 11");
	EXPECT(db, NULL, "");
}

/* Threads of a process that ends: one was at work, one waited for a condition. */
TEST(rules_main_exit)
{
	sqlite3 *db = fixture_program(2);

	ends(db, 1, 2.02);
	fixture_sql(
		db, "UPDATE thread SET cut_short = 1, end_ns = 2017000000 WHERE id IN (11, 12)");
	fixture_sql(db, "UPDATE thread SET end_ns = 2000000000 WHERE id = 10");
	fixture_wait(db, 12, "cond", "end_ns = 2017000000");
	EXPECT(db, "main-exit-kills-threads", "main-exit-kills-threads");
	/* Go's runtime has threads that every exit ends. */
	db = fixture_program(1);
	ends(db, 1, 2.02);
	fixture_sql(db, "UPDATE thread SET cut_short = 1 WHERE id = 11");
	fixture_sql(db, "UPDATE process SET raw_calls = 1");
	EXPECT(db, "main-exit-kills-threads", "");
	/* Killed while they slept: each in its own wait, though the main thread ended earlier. */
	db = fixture_program(1);
	ends(db, 1, 2.02);
	fixture_sql(db, "UPDATE thread SET cut_short = 1, end_ns = 2017000000 WHERE id = 11");
	fixture_sql(db, "UPDATE thread SET end_ns = 2000000000 WHERE id = 10");
	fixture_wait(db, 11, "cond", "end_ns = 2017000000");
	EXPECT(db, "main-exit-kills-threads", "");
}

/* A thread whose sleep was over when another one ended the process was not killed in it, however shortly before. */
TEST(rules_main_exit_after_a_wait)
{
	for (int before = 0; before < 2; before++) {
		_cleanup_buf_ struct buf why = BUF_INIT;
		sqlite3 *db = fixture_program(1);
		struct findings list = {0};
		_cleanup_free_ char *set = xasprintf(
			"start_ns = 500000000, end_ns = %d", before ? 1999999000 : 2000001000);
		const char *text;

		ends(db, 1, 2.02);
		fixture_sql(
			db, "UPDATE thread SET cut_short = 1, end_ns = 2000300000 WHERE id = 11");
		fixture_sql(
			db, "UPDATE thread SET cut_short = 0, end_ns = 2000000000 WHERE id = 10");
		fixture_wait(db, 11, "sleep", set);
		ASSERT_INT(
			verdict_all(db, INT64_MAX, "main-exit-kills-threads", false, &list, &why),
			0);
		ASSERT_INT(list.n, 1);
		ASSERT_INT(list.list[0].n_members, 1);
		text = list.list[0].members[0].text;
		ASSERT(strstr(text, " was killed"));
		ASSERT_INT(strstr(text, " while waiting (sleep)") != NULL, !before);
		findings_free(&list);
		db_close(db);
	}
}

/* A thread that waited for a byte: from its own process, which wakes it when there is work; from another. */
TEST(rules_main_exit_while_a_pipe_is_read)
{
	for (int other = 0; other < 2; other++) {
		sqlite3 *db = fixture_family();

		fixture_threads(db, 1, 1);
		ends(db, 1, 2.02);
		fixture_pipe(db, 1, "pipe");
		fixture_end(db, 1, 1, "r");
		fixture_end(db, 1, 1 + other, "w");
		fixture_sql(
			db, "UPDATE thread SET cut_short = 1, end_ns = 2017000000 WHERE id = 11");
		fixture_sql(db, "UPDATE thread SET end_ns = 2000000000 WHERE id = 10");
		fixture_wait(db, 11, "pipe-read", "end_ns = 2017000000, pipe_id = 1");
		EXPECT(db, "main-exit-kills-threads", other ? "main-exit-kills-threads" : "");
	}
}

/* A thread that was at work when its process ended, and began in a function of the program, or of a runtime. */
static sqlite3 *began_in(const char *module, const char *function)
{
	sqlite3 *db = fixture_program(1);

	ends(db, 1, 2.02);
	fixture_sql(db, "UPDATE thread SET end_ns = 2000000000 WHERE id = 10");
	fixture_sql(db,
		"INSERT INTO site (id, module, offset, function) VALUES (900, '%s', 16, '%s')",
		module, function);
	fixture_sql(db,
		"UPDATE thread SET cut_short = 1, end_ns = 2017000000, entry_site_id = 900 WHERE id = 11");
	return db;
}

TEST(rules_main_exit_of_runtimes)
{
	sqlite3 *db;

	EXPECT(began_in("/usr/bin/worker", "work"), "main-exit-kills-threads",
		"main-exit-kills-threads");
	EXPECT(began_in("/usr/lib/jvm/lib/server/libjvm.so", "thread_native_entry(Thread*)"),
		"main-exit-kills-threads", "");
	EXPECT(began_in("/usr/lib/x86_64-linux-gnu/libruby-3.1.so.3.1.2", ""),
		"main-exit-kills-threads", "");
	EXPECT(began_in("/usr/bin/node", "node::worker::Worker::StartThread(int)"),
		"main-exit-kills-threads", "");
	/* Workers of a library, which the program cannot join; threads that a library runs the program's functions in. */
	EXPECT(began_in("/usr/lib/x86_64-linux-gnu/libgomp.so.1.0.0", ""),
		"main-exit-kills-threads", "");
	EXPECT(began_in("/srv/static", "gomp_thread_start"), "main-exit-kills-threads", "");
	EXPECT(began_in("/usr/lib/x86_64-linux-gnu/libtbb.so.12.8", ""), "main-exit-kills-threads",
		"");
	EXPECT(began_in("/usr/lib/x86_64-linux-gnu/libstdc++.so.6", ""), "main-exit-kills-threads",
		"main-exit-kills-threads");
	EXPECT(began_in("/srv/lib/plugin.so", "work"), "main-exit-kills-threads",
		"main-exit-kills-threads");
	/* Python's may have been joined before it was quite at its end; one that slept was not. */
	EXPECT(began_in("/usr/bin/python3.11", "pythread_wrapper"), "main-exit-kills-threads", "");
	db = began_in("/usr/bin/python3.11", "pythread_wrapper");
	fixture_wait(db, 11, "sleep", "end_ns = 2017000000");
	EXPECT(db, "main-exit-kills-threads", "main-exit-kills-threads");
}

static sqlite3 *slept(int waiter_start_ms)
{
	sqlite3 *db = fixture_program(1);

	fixture_lock(db, 1, "mutex", 1);
	fixture_wait(db, 10, "sleep", "end_ns = 1200000000");
	fixture_sql(db,
		"INSERT INTO wait_hold (wait_id, lock_id, acquire_ns) VALUES (10, 1, 900000000)");
	fixture_wait(db, 11, "lock", "lock_id = 1, end_ns = 2000000000");
	fixture_sql(db, "UPDATE wait SET start_ns = %d * 1000000 WHERE id = 11", waiter_start_ms);
	return db;
}

TEST(rules_sleep_holding_lock)
{
	EXPECT(slept(1100), "sleep-holding-lock", "sleep-holding-lock");
	EXPECT(slept(1500), "sleep-holding-lock", "");
}

/* Threads 11 and 12 take locks 1 and 2 in opposite orders. */
static sqlite3 *opposite(void)
{
	sqlite3 *db = fixture_program(2);

	fixture_lock(db, 1, "mutex", 1);
	fixture_lock(db, 2, "mutex", 1);
	fixture_sql(db,
		"INSERT INTO lock_edge (from_lock_id, to_lock_id, thread_id, first_ns, last_ns,"
		" count, from_mode, to_mode) VALUES (1, 2, 11, 1000, 2000, 3, 'x', 'x'),"
		" (2, 1, 12, 5000, 6000, 3, 'x', 'x')");
	return db;
}

TEST(rules_lock_order)
{
	EXPECT(opposite(), NULL, "lock-order");
}

TEST(rules_lock_order_gated)
{
	sqlite3 *db = opposite();

	fixture_sql(db, "UPDATE lock_edge SET gates = '[7,9]' WHERE thread_id = 11");
	fixture_sql(db, "UPDATE lock_edge SET gates = '[9]' WHERE thread_id = 12");
	EXPECT(db, NULL, "");
}

TEST(rules_lock_order_different_gates)
{
	sqlite3 *db = opposite();

	fixture_sql(db, "UPDATE lock_edge SET gates = '[7]' WHERE thread_id = 11");
	fixture_sql(db, "UPDATE lock_edge SET gates = '[9]' WHERE thread_id = 12");
	EXPECT(db, NULL, "lock-order");
}

TEST(rules_lock_order_tried)
{
	sqlite3 *db = opposite();

	fixture_sql(db, "UPDATE lock_edge SET tried = 1 WHERE thread_id = 12");
	EXPECT(db, NULL, "");
}

/* Threads of one process share its file locks, however they are taken. */
TEST(rules_lock_order_file)
{
	sqlite3 *db = opposite();

	fixture_sql(db, "UPDATE lock SET kind = 'file', process_id = NULL WHERE id = 2");
	EXPECT(db, NULL, "");
	db = opposite();
	fixture_process(db, 2, 0);
	fixture_threads(db, 2, 1);
	fixture_sql(db, "UPDATE lock SET kind = 'file', process_id = NULL");
	fixture_sql(db, "UPDATE lock_edge SET thread_id = 20 WHERE thread_id = 12");
	EXPECT(db, NULL, "lock-order");
}

TEST(rules_lock_order_one_thread)
{
	sqlite3 *db = opposite();

	fixture_sql(db, "UPDATE lock_edge SET thread_id = 11");
	EXPECT(db, NULL, "");
}

TEST(rules_lock_order_readers_only)
{
	sqlite3 *db = opposite();

	fixture_sql(db, "UPDATE lock_edge SET from_mode = 's', to_mode = 's'");
	EXPECT(db, NULL, "");
}

/* 11 is joined by the main thread, which then makes 12. */
TEST(rules_lock_order_joined)
{
	sqlite3 *db = opposite();

	fixture_sql(db, "INSERT INTO sync (thread_id, op, start_ns, end_ns, result, target_id)"
			" VALUES (10, 'join', 100, 3000, 0, 11)");
	fixture_sql(db, "UPDATE thread SET start_ns = 4000 WHERE id = 12");
	EXPECT(db, NULL, "");
}

TEST(rules_lock_order_joined_too_late)
{
	sqlite3 *db = opposite();

	fixture_sql(db, "INSERT INTO sync (thread_id, op, start_ns, end_ns, result, target_id)"
			" VALUES (10, 'join', 100, 7000, 0, 11)");
	EXPECT(db, NULL, "lock-order");
}

TEST(rules_lock_order_of_three)
{
	sqlite3 *db = opposite();

	fixture_threads(db, 1, 0);
	fixture_lock(db, 3, "mutex", 1);
	fixture_sql(db, "DELETE FROM lock_edge");
	fixture_sql(db,
		"INSERT INTO lock_edge (from_lock_id, to_lock_id, thread_id, first_ns, last_ns,"
		" count) VALUES (1, 2, 11, 1, 2, 3), (2, 3, 12, 1, 2, 3), (3, 1, 10, 1, 2, 3)");
	EXPECT(db, NULL, "lock-order");
}

/* 1 reads what 2 wrote; 2 has left; 3 has inherited the write end. */
static sqlite3 *leaked(void)
{
	sqlite3 *db = fixture_family();

	fixture_process(db, 3, 1);
	fixture_joined(db, 1, "pipe", 1, "r", 2, "w");
	fixture_end(db, 1, 3, "w");
	fixture_sql(db, "INSERT INTO pipe_io (pipe_id, thread_id, fd, op, start_ns, end_ns, bytes)"
			" VALUES (1, 20, 4, 'write', 800000000, 800000001, 5)");
	fixture_sql(db, "UPDATE pipe_end SET close_ns = 900000000 WHERE process_id = 2");
	ends(db, 2, 0.9);
	fixture_sql(db, "UPDATE process SET reaped_ns = 900000001 WHERE id = 2");
	fixture_wait(db, 10, "pipe-read", "pipe_id = 1");
	return db;
}

/* Each side of a socketpair both reads and writes: what the reader holds itself keeps no end-of-file away. */
static sqlite3 *leaked_pair(int other_holder_side)
{
	sqlite3 *db = leaked();

	fixture_sql(db, "UPDATE pipe SET kind = 'socketpair'");
	fixture_sql(db, "UPDATE pipe_end SET mode = 'rw', side = process_id <> 1");
	fixture_sql(db, "UPDATE pipe_end SET side = %d WHERE process_id = 3", other_holder_side);
	fixture_sql(db, "UPDATE pipe_io SET side = 1");
	fixture_sql(db, "UPDATE wait SET side = 0");
	return db;
}

TEST(rules_pipe_end_leak_socketpair)
{
	EXPECT(leaked_pair(1), NULL, "pipe-end-leak");
}

TEST(rules_pipe_end_leak_socketpair_own_side)
{
	EXPECT(leaked_pair(0), NULL, "");
}

TEST(rules_pipe_end_leak_connection)
{
	sqlite3 *db = leaked_pair(1);

	fixture_sql(db, "UPDATE pipe SET kind = 'unix'");
	EXPECT(db, NULL, "");
}

TEST(rules_pipe_end_leak)
{
	EXPECT(leaked(), NULL, "pipe-end-leak");
}

/* 3 has the write end until it ends, or gives it up in this way; the read comes to the end of file then. */
static sqlite3 *leaked_until(const char *via, double read_from, double waited_from)
{
	sqlite3 *db = leaked();

	fixture_sql(db,
		"UPDATE pipe_end SET close_ns = 3000000000, close_via = '%s' WHERE process_id = 3",
		via);
	fixture_sql(db, "UPDATE wait SET start_ns = %.0f, end_ns = 3000000100", waited_from * 1e9);
	fixture_sql(db,
		"INSERT INTO pipe_io (pipe_id, thread_id, fd, op, start_ns, end_ns, bytes)"
		" VALUES (1, 10, 3, 'read', %.0f, 3000000200, 0)",
		read_from * 1e9);
	return db;
}

TEST(rules_pipe_end_leak_ended)
{
	EXPECT(leaked_until("exit", 0.999999999, 1), NULL, "pipe-end-leak");
}

/* On a busy machine a thread may begin to wait long after its call has begun. */
TEST(rules_pipe_end_leak_ended_on_busy_machine)
{
	EXPECT(leaked_until("exit", 0.95, 1.5), NULL, "pipe-end-leak");
}

/* There a child may also take long until it gives up what it does not need, which is no mistake of its. */
TEST(rules_pipe_end_given_up_late)
{
	static const char execs[] =
		"INSERT INTO exec (process_id, thread_id, ts_ns, path) VALUES (3, 30, %.0f, '/x')";
	sqlite3 *db = leaked_until("close", 0.95, 1);

	EXPECT(db, NULL, "");
	db = leaked_until("close", 0.95, 1);
	fixture_sql(db, execs, 3.1e9);
	EXPECT(db, NULL, "");
	db = leaked_until("exec", 0.95, 1);
	fixture_sql(db, execs, 3e9);
	EXPECT(db, NULL, "");
	/* Its program has it, and knows nothing of it. */
	db = leaked_until("close", 0.95, 1);
	fixture_sql(db, execs, 0.5e9);
	EXPECT(db, NULL, "pipe-end-leak");
}

/* What a signal killed may take long to end (a core is written); a thread that waited again meanwhile was not killed in this wait. */
TEST(rules_pipe_end_leak_killed)
{
	static const char *const then[] = {NULL, "sleep", "stopped"};

	for (size_t i = 0; i < ARRAY_SIZE(then); i++) {
		sqlite3 *db = leaked();

		fixture_sql(db, "UPDATE wait SET end_ns = 3000000000");
		ends(db, 1, 6);
		fixture_sql(db,
			"UPDATE process SET end_kind = 'signal', exit_signal = 3, exit_code = NULL WHERE id = 1");
		if (then[i])
			fixture_sql(db,
				"INSERT INTO wait (id, thread_id, start_ns, end_ns, reason)"
				" VALUES (99, 10, 3100000000, 4000000000, '%s')",
				then[i]);
		EXPECT(db, "pipe-end-leak", i == 1 ? "" : "pipe-end-leak");
	}
}

TEST(rules_pipe_end_used)
{
	sqlite3 *db = leaked();

	fixture_sql(db, "INSERT INTO pipe_io (pipe_id, thread_id, fd, op, start_ns, end_ns, bytes)"
			" VALUES (1, 30, 4, 'write', 8000000000, 8000000001, 5)");
	EXPECT(db, NULL, "");
}

/* A group of commands in a shell: the shell has the pipe as its standard output, its children write. */
TEST(rules_pipe_end_of_shell)
{
	sqlite3 *db = leaked();

	fixture_sql(db, "UPDATE process SET parent_id = 3 WHERE id = 2");
	fixture_sql(db, "UPDATE pipe_end SET fd = 1 WHERE process_id = 3");
	EXPECT(db, NULL, "");
}

/* Who waits for the same end has the same reason: one finding tells it. */
TEST(rules_pipe_end_leak_told_once)
{
	sqlite3 *db = leaked();

	fixture_threads(db, 1, 2);
	fixture_wait(db, 11, "pipe-read", "pipe_id = 1");
	fixture_wait(db, 12, "pipe-read", "pipe_id = 1");
	EXPECT(db, NULL, "pipe-end-leak");
}

/* A reader that polled, and was killed after it. */
TEST(rules_pipe_end_leak_polled)
{
	sqlite3 *db = leaked();

	fixture_sql(db, "UPDATE wait SET reason = 'poll', pipe_id = NULL");
	fixture_sql(db, "INSERT INTO wait_on (wait_id, ordinal, fd, kind, mode, pipe_id)"
			" SELECT id, 0, 3, 'pipe', 'r', 1 FROM wait");
	EXPECT(db, NULL, "pipe-end-leak");
}

/* While it lasts, who may still write and has not been left behind is not accused. */
TEST(rules_pipe_end_leak_live)
{
	sqlite3 *db = leaked();
	struct findings f = {0};
	_cleanup_buf_ struct buf why = BUF_INIT;

	fixture_sql(db, "UPDATE pipe_end SET fd = 1 WHERE process_id = 3");
	ASSERT_INT(verdict_live(db, 1000000, false, &f, &why), 0);
	ASSERT_INT(f.n, 0);
	findings_free(&f);
	fixture_sql(db, "UPDATE pipe_end SET fd = 7, open_via = 'inherit' WHERE process_id = 3");
	/* It runs, and has not executed its program yet. */
	ASSERT_INT(verdict_live(db, 1000000, false, &f, &why), 0);
	ASSERT_INT(f.n, 0);
	findings_free(&f);
	fixture_wait(db, 30, "sleep", "timed = 1");
	ASSERT_INT(verdict_live(db, 1000000, false, &f, &why), 0);
	ASSERT_INT(f.n, 1);
	ASSERT_STR(f.list[0].rule, "pipe-end-leak");
	ASSERT_INT(f.list[0].certain, 0);
	findings_free(&f);
	db_close(db);
}

TEST(rules_broken_pipe)
{
	sqlite3 *db = fixture_family();

	fixture_pipe(db, 1, "pipe");
	fixture_end(db, 1, 1, "r");
	fixture_sql(db, "UPDATE pipe_end SET close_ns = 7");
	fixture_sql(db, "INSERT INTO pipe_io (pipe_id, thread_id, fd, op, start_ns, end_ns, errno)"
			" VALUES (1, 20, 4, 'write', 8, 9, 32)");
	EXPECT(db, NULL, "broken-pipe");
}

static sqlite3 *messages(const char *end)
{
	sqlite3 *db = fixture_family();

	fixture_pipe(db, 1, "pipe");
	for (int i = 0; i < 3; i++)
		fixture_sql(db,
			"INSERT INTO pipe_io (pipe_id, thread_id, fd, op, start_ns, end_ns, bytes, data)"
			" VALUES (1, 20, 4, 'write', %d, %d, 4, CAST('Spa' || %s AS BLOB))",
			10 + i * 2, 11 + i * 2, end);
	fixture_sql(db, "INSERT INTO pipe_io (pipe_id, thread_id, fd, op, start_ns, end_ns, bytes)"
			" VALUES (1, 10, 3, 'read', 20, 21, 12)");
	return db;
}

/* Pieces of a text, of which some end a line: what a program without a buffer writes. */
TEST(rules_merged_pieces_of_a_line)
{
	sqlite3 *db = messages("'m'");

	fixture_sql(db,
		"INSERT INTO pipe_io (pipe_id, thread_id, fd, op, start_ns, end_ns, bytes, data)"
		" VALUES (1, 10, 1, 'write', 900, 901, 2, CAST('k' || char(10) AS BLOB))");
	EXPECT(db, "merged-messages", "");
}

TEST(rules_merged_messages)
{
	EXPECT(messages("'m'"), NULL, "merged-messages");
	EXPECT(messages("char(10)"), NULL, "");
	/* with lengths in them */
	EXPECT(messages("char(4)"), NULL, "");
	EXPECT(messages("x'00'"), NULL, "");
}

/* What would deny it may be among what was lost. */
TEST(rules_doubted_after_losses)
{
	static const char *const kinds[] = {"SAMPLE", "LOCK_ACQUIRE"};

	for (size_t i = 0; i < 2; i++) {
		sqlite3 *db = fixture_family();
		struct findings fs = {0};
		struct buf why = BUF_INIT;

		fixture_lock(db, 1, "mutex", 1);
		fixture_sql(db, "INSERT INTO lock_error (lock_id, thread_id, ts_ns, kind)"
				" VALUES (1, 10, 500, 'unlock')");
		fixture_sql(db, "UPDATE trace SET lost = 7");
		fixture_sql(db, "INSERT INTO lost VALUES ('ebpf', '%s', 7)", kinds[i]);
		ASSERT_INT(verdict_all(db, INT64_MAX, "unlock-not-owner", false, &fs, &why), 0);
		ASSERT_INT(fs.n, 1);
		ASSERT_INT(fs.list[0].certain, i == 0);
		ASSERT_STR(fs.list[0].severity, i == 0 ? "error" : "warning");
		findings_free(&fs);
		db_close(db);
	}
}

TEST(rules_lost_signal)
{
	sqlite3 *db = fixture_family();

	fixture_sql(db,
		"INSERT INTO signal (signo, name, source, sender_id, process_id, sent_ns, result)"
		" VALUES (10, 'SIGUSR1', 'kill', 10, 2, 5, 'coalesced'),"
		" (10, 'SIGUSR1', 'kill', 10, 2, 6, 'coalesced'),"
		" (18, 'SIGCONT', 'kill', 10, 2, 6, 'ignored'),"
		" (17, 'SIGCHLD', 'kernel', NULL, 1, 6, 'ignored')");
	EXPECT(db, NULL, "lost-signal");
}

/* Whoever ignores a signal has said so; a process that takes a second to die takes none meanwhile. */
TEST(rules_lost_signal_ignored)
{
	static const char sent[] =
		"INSERT INTO signal (signo, name, source, sender_id, process_id, sent_ns, result)"
		" VALUES (10, 'SIGUSR1', 'kill', 10, 2, 500000000, 'ignored')";
	sqlite3 *db = fixture_family();

	fixture_sql(db, sent);
	ends(db, 2, 2);
	EXPECT(db, "lost-signal", "");
	db = fixture_family();
	fixture_sql(db, sent);
	fixture_sql(db, "INSERT INTO handler (process_id, signo, disposition, start_ns, end_ns)"
			" VALUES (2, 10, 'ignored', 1, 400000000)");
	EXPECT(db, "lost-signal", "");
	db = fixture_family();
	fixture_sql(db, sent);
	fixture_sql(db, "INSERT INTO handler (process_id, signo, disposition, start_ns)"
			" VALUES (2, 10, 'ignored', 1)");
	EXPECT(db, NULL, "lost-signal");
}

TEST(rules_no_signal_lost_by_the_dying)
{
	sqlite3 *db = fixture_family();

	ends(db, 2, 2);
	fixture_sql(db, "UPDATE process SET end_kind = 'signal', exit_signal = 15 WHERE id = 2");
	fixture_sql(db,
		"INSERT INTO signal (signo, name, source, sender_id, process_id, sent_ns, result)"
		" VALUES (15, 'SIGTERM', 'kill', 10, 2, 1999999998, 'coalesced'),"
		" (10, 'SIGUSR1', 'kill', 10, 2, 1999999999, 'ignored'),"
		" (18, 'SIGCONT', 'kill', 10, 2, 6, 'coalesced'),"
		" (9, 'SIGKILL', 'kill', 10, 2, 1999999999, 'ignored')");
	EXPECT(db, "lost-signal", "");
}

static sqlite3 *interrupted(const char *call, unsigned flags)
{
	sqlite3 *db = fixture_family();

	fixture_sql(db,
		"INSERT INTO handler (process_id, signo, disposition, start_ns, flags)"
		" VALUES (2, 10, 'handler', 1, %u)",
		flags);
	fixture_sql(db,
		"INSERT INTO signal (signo, name, source, process_id, thread_id, sent_ns, delivered_ns,"
		" disposition, interrupted) VALUES (10, 'SIGUSR1', 'kill', 2, 20, 5, 6, 'handler', '%s')",
		call);
	return db;
}

/* A server that is stopped. */
TEST(rules_interrupted_to_end)
{
	sqlite3 *db = interrupted("read", 0);

	fixture_sql(db, "UPDATE signal SET signo = 15, name = 'SIGTERM'");
	fixture_sql(db, "UPDATE handler SET signo = 15");
	ends(db, 2, 1);
	EXPECT(db, "interrupted-call", "");
	/* The library sees no sender. */
	db = interrupted("read", 0);
	fixture_sql(db, "UPDATE signal SET signo = 15, name = 'SIGTERM', sent_ns = NULL");
	fixture_sql(db, "UPDATE handler SET signo = 15");
	ends(db, 2, 1);
	EXPECT(db, "interrupted-call", "");
	db = interrupted("read", 0);
	fixture_sql(db, "UPDATE signal SET signo = 15, name = 'SIGTERM'");
	fixture_sql(db, "UPDATE handler SET signo = 15");
	EXPECT(db, "interrupted-call", "interrupted-call");
}

TEST(rules_interrupted_call)
{
	EXPECT(interrupted("read", 0), NULL, "interrupted-call");
	EXPECT(interrupted("read", 0x10000000), NULL, "");
	EXPECT(interrupted("nanosleep", 0x10000000), NULL, "interrupted-call");
	EXPECT(interrupted("pause", 0), NULL, "");
	EXPECT(interrupted("epoll_wait", 0), NULL, "");
}

static sqlite3 *waited(long long wait_ms)
{
	sqlite3 *db = fixture_family();

	fixture_lock(db, 1, "mutex", 1);
	fixture_sql(db,
		"INSERT INTO lock_stat (lock_id, holds, contended, wait_ns, max_wait_ns, hold_ns,"
		" max_hold_ns, threads) VALUES (1, 100, 50, %lld, 5, 6, 7, 2)",
		wait_ms * 1000000);
	return db;
}

TEST(rules_lock_contention)
{
	EXPECT(waited(500), NULL, "lock-contention");
	EXPECT(waited(50), NULL, "");
}

TEST(rules_lost_wakeup)
{
	sqlite3 *db = fixture_program(1);

	fixture_lock(db, 1, "cond", 1);
	fixture_sql(db, "INSERT INTO sync (lock_id, thread_id, op, start_ns, end_ns, result, value)"
			" VALUES (1, 10, 'signal', 500000000, 500000001, 0, 0)");
	fixture_wait(db, 11, "cond", "lock_id = 1");
	fixture_wait(db, 10, "sleep", "");
	EXPECT(db, NULL, ""); /* a worker at rest */
}

TEST(rules_lost_wakeup_for_ever)
{
	sqlite3 *db = fixture_program(1);

	fixture_lock(db, 1, "cond", 1);
	fixture_sql(db, "INSERT INTO sync (lock_id, thread_id, op, start_ns, end_ns, result, value)"
			" VALUES (1, 10, 'signal', 500000000, 500000001, 0, 0)");
	fixture_wait(db, 11, "cond", "lock_id = 1");
	fixture_wait(db, 10, "join", "target_thread_id = 11");
	EXPECT(db, NULL, "deadlock lost-wakeup");
}

TEST(rules_duplicated_output)
{
	sqlite3 *db = fixture_family();

	fixture_pipe(db, 1, "pipe");
	fixture_sql(db,
		"INSERT INTO stdio (process_id, thread_id, ts_ns, fd, pipe_id, pending, at, data)"
		" VALUES (1, 10, 1, 1, 1, 5, 'fork', CAST('hello' AS BLOB))");
	fixture_sql(db,
		"INSERT INTO pipe_io (pipe_id, thread_id, fd, op, start_ns, end_ns, bytes, data)"
		" VALUES (1, 20, 1, 'write', 8, 9, 5, CAST('hello' AS BLOB)),"
		" (1, 10, 1, 'write', 18, 19, 11, CAST('hello world' AS BLOB))");
	EXPECT(db, "duplicated-output", "duplicated-output");
}

TEST(rules_output_discarded_by_exec)
{
	sqlite3 *db = fixture_family();

	fixture_pipe(db, 1, "pipe");
	fixture_sql(db,
		"INSERT INTO stdio (process_id, thread_id, ts_ns, fd, pipe_id, pending, at, data)"
		" VALUES (1, 10, 1, 1, 1, 5, 'fork', CAST('hello' AS BLOB))");
	fixture_sql(db,
		"INSERT INTO pipe_io (pipe_id, thread_id, fd, op, start_ns, end_ns, bytes, data)"
		" VALUES (1, 10, 1, 'write', 18, 19, 5, CAST('hello' AS BLOB))");
	EXPECT(db, "duplicated-output", "");
}

TEST(rules_data_loss)
{
	sqlite3 *db = fixture_family();

	fixture_sql(db, "UPDATE trace SET lost = 7");
	fixture_sql(db, "INSERT INTO lost VALUES ('ebpf', 'any', 7)");
	EXPECT(db, NULL, "data-loss");
}

static bool is_certain(sqlite3 *db, const char *rule)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct findings f = {0};
	bool certain;

	ASSERT_INT(verdict_all(db, INT64_MAX, rule, false, &f, &why), 0);
	ASSERT_INT(f.n, 1);
	certain = f.list[0].certain;
	findings_free(&f);
	return certain;
}

/* What rests on births and ends alone stands, unless such ones were lost. */
TEST(rules_doubt_what_rests_on_the_lost)
{
	sqlite3 *db = fixture_family();

	fixture_sql(db, "UPDATE process SET end_ns = 2000000000, end_kind = 'exit', exit_code = 0"
			" WHERE id = 2");
	fixture_sql(db, "UPDATE thread SET end_ns = 2000000000 WHERE process_id = 2");
	ASSERT(is_certain(db, "zombie"));
	fixture_sql(db, "UPDATE trace SET lost = 7");
	fixture_sql(db, "INSERT INTO lost VALUES ('shim', 'any', 7), ('ebpf', 'wait_begin', 7)");
	ASSERT(is_certain(db, "zombie"));
	fixture_sql(db, "INSERT INTO lost VALUES ('ebpf', 'reap', 1)");
	ASSERT(!is_certain(db, "zombie"));
	fixture_sql(db, "DELETE FROM lost WHERE kind = 'reap'");
	fixture_sql(db, "INSERT INTO lost VALUES ('shim: births and ends', 'any', 1)");
	ASSERT(!is_certain(db, "zombie"));
	db_close(db);
}

TEST(rules_no_data_loss_by_the_end)
{
	sqlite3 *db = fixture_family();

	fixture_sql(db, "UPDATE trace SET lost = 1");
	fixture_sql(db, "INSERT INTO lost VALUES ('shim: interrupted for good', 'any', 1)");
	EXPECT(db, NULL, "");
}

TEST(rules_stored_and_loaded)
{
	sqlite3 *db = left_locked("normal", 0);
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct findings a = {0}, b = {0};

	ASSERT_INT(verdict_all(db, INT64_MAX, NULL, false, &a, &why), 0);
	ASSERT_INT(verdict_store(db, &a, &why), 0);
	ASSERT_INT(verdict_store(db, &a, &why), 0);
	ASSERT_INT(verdict_load(db, &b, &why), 0);
	ASSERT_INT(b.n, a.n);
	ASSERT_STR(b.list[0].rule, a.list[0].rule);
	ASSERT_STR(b.list[0].summary, a.list[0].summary);
	ASSERT_STR(b.list[0].remedy, a.list[0].remedy);
	ASSERT_INT(b.list[0].n_members, a.list[0].n_members);
	ASSERT_STR(b.list[0].members[0].text, a.list[0].members[0].text);
	findings_free(&a);
	findings_free(&b);
	db_close(db);
}

TEST(rules_hostile_names)
{
	sqlite3 *db = left_locked("normal", 0);
	_cleanup_buf_ struct buf why = BUF_INIT, text = BUF_INIT;
	struct findings fs = {0};

	fixture_sql(db, "UPDATE process SET name = char(27) || '[2J' || char(10) || '\"><script>'");
	fixture_sql(db, "UPDATE lock SET name = 'a' || char(7) || char(8238) || 'b'");
	ASSERT_INT(verdict_all(db, INT64_MAX, NULL, false, &fs, &why), 0);
	verdict_text(&text, db, &fs.list[0], false);
	ASSERT(!strchr(text.data, 27) && !strchr(text.data, 7) &&
		!strstr(text.data, "\xe2\x80\xae"));
	findings_free(&fs);
	db_close(db);
}

TEST(rules_have_lessons)
{
	for (size_t i = 0; i < lessons_n; i++) {
		ASSERT(verdict_rule(lessons[i].rule));
		ASSERT(strlen(lessons[i].text) > 200);
	}
}
