/* process.c - tests of the model: processes, threads, execs, exits. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/tracer/model/feed.h"

#include <sched.h>
#include <sys/wait.h>

static void exit_process(struct feed *f, uint64_t ts, uint32_t pid, uint64_t status)
{
	feed_at(f, ts, pid, pid);
	FEED(f, EXIT, .status = status, .group_status = status, .last = 1);
}

TEST(fork)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	feed_fork(&f, 11);
	feed_at(&f, 200, 11, 11);
	FEED(&f, COMM, .comm = "kid");
	feed_end(&f, 1000);
	EXPECT(&f,
		"SELECT id, pid, parent_id, creator_id, name, start_ns, end_ns, created_by FROM process",
		"1|10|-|-|-|100|-|- 2|11|1|1|kid|100|-|fork");
	EXPECT(&f, "SELECT id, tid, process_id, creator_id, is_main FROM thread",
		"1|10|1|-|1 2|11|2|1|1");
	feed_close(&f);
}

TEST(fork_thread)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	feed_thread(&f, 12);
	feed_at(&f, 300, 10, 12);
	FEED(&f, EXIT, .status = 0);
	feed_end(&f, 1000);
	EXPECT(&f,
		"SELECT tid, process_id, creator_id, name, start_ns, end_ns, is_main FROM thread WHERE id = 2",
		"12|1|1|worker|100|300|0");
	EXPECT(&f, "SELECT count(*), count(end_ns) FROM process", "1|0");
	feed_close(&f);
}

/* Another source's clock may be ahead: the child is made by its own record and completed by the fork. */
TEST(fork_late)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, COMM, .comm = "shell");
	feed_at(&f, 200, 11, 11);
	FEED(&f, COMM, .comm = "early");
	feed_at(&f, 203, 10, 10);
	feed_fork(&f, 11);
	feed_at(&f, 300, 10, 13);
	FEED(&f, COMM, .comm = "early");
	feed_at(&f, 301, 10, 10);
	feed_thread(&f, 13);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT pid, parent_id, creator_id, start_ns FROM process",
		"10|-|-|100 11|1|1|203");
	EXPECT(&f, "SELECT tid, creator_id, start_ns FROM thread", "10|-|100 11|1|203 13|1|301");
	feed_close(&f);
}

/* Thread 13 of process 10 is heard of at 300 and has ended at 400, and nobody has told of its birth. */
static void unborn_ends(struct feed *f)
{
	feed_at(f, 100, 10, 10);
	FEED(f, COMM, .comm = "shell");
	feed_at(f, 300, 10, 13);
	FEED(f, COMM, .comm = "early");
	feed_at(f, 400, 10, 13);
	FEED(f, EXIT, .status = 0);
}

/* Who makes a thread may be held up for longer than that lives: it is one thread for all that. */
TEST(fork_late_after_the_end)
{
	const uint64_t second = 1000000000;
	struct feed f;

	feed_open(&f);
	unborn_ends(&f);
	/* Its grace is over. */
	for (uint64_t i = 1; i < 4; i++) {
		feed_at(&f, i * second, 10, 14);
		FEED(&f, COMM, .comm = "other");
	}
	feed_at(&f, 200, 10, 10);
	feed_thread(&f, 13);
	/* This one is another: its number was free again. */
	feed_at(&f, 4 * second, 10, 10);
	feed_thread(&f, 13);
	feed_end(&f, 5 * second);
	EXPECT(&f, "SELECT id, creator_id, start_ns, end_ns, name FROM thread WHERE tid = 13",
		"2|1|200|400|worker 4|1|4000000000|-|worker");
	feed_close(&f);
}

/* The same number again, without a word about the first one's birth. */
TEST(fork_after_an_unborn)
{
	struct feed f;

	feed_open(&f);
	unborn_ends(&f);
	feed_at(&f, 500, 10, 10);
	feed_thread(&f, 13);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT id, creator_id, start_ns, end_ns FROM thread WHERE tid = 13",
		"2|-|300|400 3|1|500|-");
	feed_close(&f);
}

/* Threads whose birth nobody ever tells: no more of them than a thousand are kept. */
TEST(many_unborn)
{
	struct feed f;

	feed_open(&f);
	for (uint32_t i = 0; i < 3000; i++) {
		feed_at(&f, i * 20000000ull, 10, 20 + i);
		FEED(&f, COMM, .comm = "early");
		FEED(&f, EXIT, .status = 0);
	}
	feed_end(&f, 3000 * 20000000ull);
	EXPECT(&f, "SELECT count(*), count(end_ns), sum(creator_id IS NULL) FROM thread",
		"3000|3000|3000");
	feed_close(&f);
}

TEST(fork_by_other_parent)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	feed_fork(&f, 11);
	feed_at(&f, 200, 11, 11);
	FEED(&f, FORK, .child_pid = 12, .child_tid = 12, .parent_pid = 10,
		.flags = CLONE_PARENT | 17);
	feed_end(&f, 300);
	EXPECT(&f, "SELECT parent_id, creator_id, created_by FROM process WHERE pid = 12",
		"1|2|clone");
	feed_close(&f);
}

TEST(pid_reused)
{
	struct feed f;

	feed_open(&f);
	for (uint64_t i = 0; i < 3; i++) {
		feed_at(&f, 100 + i * 10, 10, 10);
		feed_fork(&f, 11);
		exit_process(&f, 102 + i * 10, 11, i << 8);
		feed_at(&f, 104 + i * 10, 10, 10);
		FEED(&f, REAP, .child_pid = 11, .status = i << 8);
	}
	feed_end(&f, 1000);
	EXPECT(&f,
		"SELECT id, pid, start_ns, end_ns, exit_code, reaped_ns, reaper_id FROM process WHERE pid = 11",
		"2|11|100|102|0|104|1 3|11|110|112|1|114|1 4|11|120|122|2|124|1");
	feed_close(&f);
}

TEST(exit_by_signal)
{
	struct feed f;

	feed_open(&f);
	exit_process(&f, 100, 10, 11 | 0x80);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT end_kind, exit_code, exit_signal, core_dumped, reaped_ns FROM process",
		"signal|-|11|1|-");
	feed_close(&f);
}

/* The main thread may end first; the process ends with the last. */
TEST(exit_of_main_thread)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	feed_thread(&f, 12);
	FEED(&f, EXIT, .status = 0);
	feed_at(&f, 500, 10, 12);
	FEED(&f, EXIT, .last = 1, .group_status = 3 << 8);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT end_ns, exit_code FROM process", "500|3");
	EXPECT(&f, "SELECT tid, end_ns FROM thread", "10|100 12|500");
	feed_close(&f);
}

/* From outside the end of a process does not show whose call it was. */
TEST(exiting)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	feed_thread(&f, 12);
	feed_thread(&f, 13);
	feed_at(&f, 400, 10, 12);
	FEED(&f, EXITING, .status = 3);
	feed_at(&f, 500, 10, 10);
	FEED(&f, EXIT, .last = 1, .group_status = 3 << 8);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT tid, cut_short FROM thread", "10|1 12|0 13|1");
	feed_close(&f);
}

TEST(exit_zombie_and_orphan)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	feed_fork(&f, 11);
	feed_fork(&f, 12);
	exit_process(&f, 200, 11, 0);
	exit_process(&f, 2000000200, 10, 0);
	exit_process(&f, 3000000000, 12, 0);
	feed_end(&f, 4000000000);
	EXPECT(&f, "SELECT pid, reaped_ns FROM process WHERE parent_id = 1", "11|- 12|-");
	EXPECT(&f, "SELECT process_id FROM zombie", "2");
	EXPECT(&f, "SELECT process_id FROM orphan", "3");
	feed_close(&f);
}

TEST(reap_before_exit)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	feed_fork(&f, 11);
	FEED(&f, REAP, .child_pid = 11, .status = 0x137f); /* stopped: no end */
	FEED(&f, REAP, .child_pid = 11, .status = 5 << 8, .options = WNOWAIT);
	feed_at(&f, 200, 10, 10);
	FEED(&f, REAP, .child_pid = 11, .status = 5 << 8);
	exit_process(&f, 201, 11, 5 << 8);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT end_ns, exit_code, reaped_ns FROM process WHERE pid = 11", "200|5|200");
	feed_close(&f);
}

TEST(exec)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, MORE, .what = MORE_ARGV, .len = 6, .data = "ls\0-l\n");
	FEED(&f, MORE, .what = MORE_ARGV, .len = 4, .data = "\"x\"\0");
	FEED(&f, EXEC, .old_tid = 10, .path = "/bin/ls", .comm = "ls", .lock_source = LOCKS_SHIM);
	FEED(&f, EXEC_FAIL, .error = 2, .path = "/nowhere");
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT path, argv, errno, lock_source, cut FROM exec",
		"/bin/ls|[\"ls\",\"-l\\u000a\\\"x\\\"\"]|-|shim|0 /nowhere|-|2|-|0");
	EXPECT(&f, "SELECT name, exe, command FROM process",
		"ls|/bin/ls|[\"ls\",\"-l\\u000a\\\"x\\\"\"]");
	feed_close(&f);
}

TEST(exec_cut)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, MORE, .what = MORE_ARGV, .len = 3, .data = "ls", .flags = MORE_CUT);
	FEED(&f, EXEC, .old_tid = 10, .path = "/bin/ls");
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT argv, cut FROM exec", "[\"ls\",\"...\"]|1");
	feed_close(&f);
}

/* The thread that calls exec takes over the main thread's tid. */
TEST(exec_by_other_thread)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	feed_thread(&f, 12);
	feed_thread(&f, 13);
	feed_at(&f, 200, 10, 10);
	FEED(&f, EXIT, .status = 0);
	feed_at(&f, 200, 10, 13);
	FEED(&f, EXIT, .status = 0);
	feed_at(&f, 210, 10, 10);
	FEED(&f, EXEC, .old_tid = 12, .path = "/bin/x");
	feed_at(&f, 300, 10, 10);
	FEED(&f, EXIT, .last = 1, .group_status = 0);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT id, tid, end_ns, is_main FROM thread",
		"1|10|200|0 2|10|300|1 3|13|200|0");
	EXPECT(&f, "SELECT thread_id FROM exec", "2");
	feed_close(&f);
}

TEST(found)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, FOUND, .ppid = 5, .start_ts = FEED_T0 - 400, .path = "/bin/sh", .comm = "sh");
	feed_at(&f, 100, 10, 14);
	FEED(&f, FOUND, .ppid = 5, .start_ts = FEED_T0 - 300, .comm = "helper");
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT pid, parent_id, start_ns, exe, name, created_by FROM process",
		"10|-|-400|/bin/sh|sh|found");
	EXPECT(&f, "SELECT tid, start_ns, name FROM thread", "10|-400|sh 14|-300|helper");
	feed_close(&f);
}

TEST(more_is_kept_by_its_thread)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, MORE, .what = MORE_ARGV, .len = 300, .data = "x"); /* longer than its data */
	FEED(&f, MORE, .what = 99, .len = 1, .data = "x");
	FEED(&f, EXEC, .old_tid = 10, .path = "/bin/x");
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT argv FROM exec", "-");
	ASSERT_INT(model_skipped(f.model), 2);
	feed_close(&f);
}

TEST(malformed_is_skipped)
{
	struct feed f;
	struct rec_head short_head = {
		.kind = REC_FORK, .size = sizeof short_head, .pid = 1, .tid = 1};
	struct rec_head unknown = {.kind = 999, .size = sizeof unknown, .pid = 1, .tid = 1};

	feed_open(&f);
	model_feed(f.model, &short_head);
	model_feed(f.model, &unknown);
	ASSERT_INT(model_skipped(f.model), 2);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT count(*) FROM process", "0");
	feed_close(&f);
}

TEST(alive)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	feed_fork(&f, 11);
	ASSERT_INT(model_alive(f.model), 2);
	exit_process(&f, 200, 11, 0);
	ASSERT_INT(model_alive(f.model), 1);
	feed_end(&f, 1000);
	feed_close(&f);
}

/* What is open at a commit is in the file, and is completed later. */
TEST(growing)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	feed_fork(&f, 11);
	feed_flush(&f, 500);
	EXPECT(&f, "SELECT count(*), count(end_ns), (SELECT duration_ns FROM trace) FROM process",
		"2|0|500");
	exit_process(&f, 600, 11, 0);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT count(*), count(end_ns) FROM process", "2|1");
	feed_close(&f);
}

TEST(compat_is_a_blind_spot)
{
	struct feed f;

	feed_open(&f);
	ASSERT_INT(store_exec(f.store, "UPDATE trace SET blind_spots = '[]'"), 0);
	feed_at(&f, 100, 10, 10);
	FEED(&f, COMM, .comm = "old\nstyle");
	f.flags = REC_COMPAT;
	FEED(&f, WAIT_BEGIN, .syscall = 3);
	FEED(&f, WAIT_END, .waker_tid = 0);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT blind_spots FROM trace",
		"[\"process 10 (old\\\\nstyle) makes 32-bit system calls: what it waits for is not known\"]");
	EXPECT(&f, "SELECT reason, syscall FROM wait", "other|-");
	feed_close(&f);
}

TEST(filtered_is_a_blind_spot)
{
	struct feed f;

	feed_open(&f);
	ASSERT_INT(store_exec(f.store, "UPDATE trace SET blind_spots = '[]'"), 0);
	feed_at(&f, 100, 10, 10);
	FEED(&f, COMM, .comm = "caged");
	FEED(&f, FILTERED, .forbidden = 500);
	feed_at(&f, 200, 11, 11);
	FEED(&f, COMM, .comm = "caged");
	FEED(&f, FILTERED, .forbidden = 512);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT blind_spots FROM trace",
		"[\"process 10 (caged) installed a filter for its system calls: after that only its locks were recorded\","
		"\"process 11 (caged) installed a filter that allows only four system calls: after that the preload library recorded nothing of it\"]");
	feed_close(&f);
}

TEST(uring_until_exec)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, URING, .fd = 3);
	feed_flush(&f, 150);
	EXPECT(&f, "SELECT uring FROM process", "1");
	feed_at(&f, 200, 10, 10);
	FEED(&f, EXEC, .old_tid = 10, .path = "/bin/x");
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT uring FROM process", "0");
	feed_close(&f);
}

static bool gone_by_number(uint64_t pid, uint64_t tid)
{
	return pid == 11 || tid == 12;
}

/* Whose end was lost is not taken for one who still waits. */
TEST(process_that_is_gone_has_ended)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	feed_fork(&f, 11);
	feed_thread(&f, 12);
	feed_at(&f, 200, 10, 12);
	FEED(&f, WAIT_BEGIN, .syscall = 0, .state = 1);
	model_settle_gone(f.model, gone_by_number, FEED_T0 + 900);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT pid, end_ns, end_kind FROM process", "10|-|- 11|900|-");
	EXPECT(&f, "SELECT tid, end_ns FROM thread ORDER BY tid", "10|- 11|900 12|900");
	EXPECT(&f, "SELECT count(*) FROM wait WHERE end_ns IS NULL", "0");
	feed_close(&f);
}
