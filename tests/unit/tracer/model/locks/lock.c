/* lock.c - tests of the model: locks, holds, their order, what fork and exit leave. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/tracer/model/feed.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { A = 0x1000, B = 0x2000, C = 0x3000 };

static void take(struct feed *f, uint64_t ts, uint32_t tid, uint64_t addr)
{
	feed_at(f, ts, 10, tid);
	FEED(f, LOCK_ACQUIRE, .addr = addr, .kind = LOCK_MUTEX, .type = LOCK_NORMAL,
		.mode = LOCK_MODE_X, .request = FEED_T0 + ts, .site = 0x400000 + tid);
}

static void give(struct feed *f, uint64_t ts, uint32_t tid, uint64_t addr)
{
	feed_at(f, ts, 10, tid);
	FEED(f, LOCK_RELEASE, .addr = addr, .kind = LOCK_MUTEX, .site = 0x500000);
}

static void ask(struct feed *f, uint64_t ts, uint32_t tid, uint64_t addr)
{
	feed_at(f, ts, 10, tid);
	FEED(f, LOCK_REQUEST, .addr = addr, .kind = LOCK_MUTEX, .type = LOCK_NORMAL,
		.mode = LOCK_MODE_X, .site = 0x400000 + tid);
}

static void threads(struct feed *f)
{
	feed_open(f);
	feed_at(f, 10, 10, 10);
	feed_thread(f, 11);
	feed_thread(f, 12);
}

#define HOLDS                                                                                      \
	"SELECT lock_id, thread_id, mode, request_ns, acquire_ns, release_ns FROM lock_hold ORDER BY acquire_ns, id"
#define OPEN                                                                                       \
	"SELECT lock_id, thread_id, process_id, mode, depth, acquire_ns FROM lock_open ORDER BY 1, 2"

/* Whoever is killed, or still runs at the end, has held its locks until then. */
TEST(lock_held_to_the_end_is_counted)
{
	struct feed f;

	threads(&f);
	take(&f, 100, 10, A);
	take(&f, 200, 11, B);
	feed_at(&f, 500, 10, 11);
	FEED(&f, EXIT, .status = 9);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT holds, hold_ns, max_hold_ns, threads FROM lock_stat ORDER BY lock_id",
		"1|900|900|1 1|300|300|1");
	feed_close(&f);
}

TEST(lock_acquire_and_release)
{
	struct feed f;

	threads(&f);
	take(&f, 100, 10, A);
	give(&f, 150, 10, A);
	take(&f, 200, 11, A);
	give(&f, 280, 11, A);
	feed_end(&f, 1000);
	EXPECT(&f, HOLDS, "1|1|-|-|100|150 1|2|-|-|200|280");
	EXPECT(&f, "SELECT kind, type, process_id, address, pshared, created_ns FROM lock",
		"mutex|normal|1|4096|0|100");
	EXPECT(&f, "SELECT holds, contended, hold_ns, max_hold_ns, threads FROM lock_stat",
		"2|0|130|80|2");
	EXPECT(&f, "SELECT thread_id, bucket, hold_ns, wait_ns, holds FROM lane ORDER BY 1",
		"1|0|50|0|1 2|0|80|0|1");
	EXPECT(&f, "SELECT value FROM setting WHERE name = 'lane_ns'", "1048576");
	feed_close(&f);
}

TEST(lock_request)
{
	struct feed f;

	threads(&f);
	take(&f, 100, 10, A);
	ask(&f, 120, 11, A);
	give(&f, 150, 10, A);
	feed_at(&f, 160, 10, 11);
	FEED(&f, LOCK_ACQUIRE, .addr = A, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X,
		.request = FEED_T0 + 120);
	give(&f, 200, 11, A);
	feed_end(&f, 1000);
	EXPECT(&f, HOLDS, "1|1|-|-|100|150 1|2|-|120|160|200");
	EXPECT(&f, "SELECT contended, wait_ns, max_wait_ns FROM lock_stat", "1|40|40");
	/* Nobody but the library spoke: its call is the wait. */
	EXPECT(&f, "SELECT thread_id, reason, lock_id, start_ns, end_ns FROM wait",
		"2|lock|1|120|160");
	feed_close(&f);
}

/* The kernel's word counts where there is one, in either order; never two rows for one wait. */
TEST(lock_request_and_futex)
{
	struct feed f;

	threads(&f);
	take(&f, 100, 10, A);
	ask(&f, 120, 11, A);
	feed_at(&f, 125, 10, 11);
	FEED(&f, WAIT_BEGIN, .syscall = 202, .arg0 = A, .arg1 = 128, .arg2 = 2);
	feed_at(&f, 130, 10, 12);
	FEED(&f, WAIT_BEGIN, .syscall = 202, .arg0 = A, .arg1 = 128, .arg2 = 2);
	ask(&f, 131, 12, A);
	feed_at(&f, 140, 10, 11);
	FEED(&f, WAIT_END, .waker_pid = 10, .waker_tid = 10);
	feed_end(&f, 1000);
	EXPECT(&f,
		"SELECT thread_id, reason, lock_id, start_ns, end_ns, waker_id, user_ns FROM wait ORDER BY start_ns",
		"2|lock|1|125|140|1|120 3|lock|1|130|-|-|131");
	EXPECT(&f, "SELECT count(*) FROM lock", "1");
	feed_close(&f);
}

/* A signal handler breaks a wait off twice; the second time it is written already. */
TEST(lock_wait_broken_off)
{
	struct feed f;

	threads(&f);
	take(&f, 100, 10, A);
	ask(&f, 120, 11, A);
	for (uint64_t at = 125; at < 200; at += 30) {
		feed_at(&f, at, 10, 11);
		FEED(&f, WAIT_BEGIN, .syscall = 202, .arg0 = A, .arg1 = 128, .arg2 = 2);
		feed_flush(&f, at + 5);
		feed_at(&f, at + 20, 10, 11);
		if (at < 180)
			FEED(&f, WAIT_END, .waker_tid = 0);
	}
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT thread_id, lock_id, start_ns, end_ns, user_ns FROM wait",
		"2|1|125|-|120");
	feed_close(&f);
}

/* The kernel refuses a PI mutex in a circle; glibc then sleeps forever at a word of its stack. */
TEST(lock_pi_refused_is_still_waited_for)
{
	struct feed f;

	threads(&f);
	take(&f, 100, 10, A);
	feed_at(&f, 120, 10, 11);
	FEED(&f, LOCK_REQUEST, .addr = B, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X,
		.type = LOCK_NORMAL | LOCK_PI);
	feed_at(&f, 125, 10, 11);
	FEED(&f, WAIT_BEGIN, .syscall = 202, .arg0 = 0x7fff0000, .arg1 = 137, .arg2 = 0);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT thread_id, reason, lock_id, start_ns, end_ns FROM wait",
		"2|lock|2|125|-");
	feed_close(&f);
}

TEST(lock_open_at_commit)
{
	struct feed f;

	threads(&f);
	take(&f, 100, 10, A);
	feed_flush(&f, 500);
	EXPECT(&f, HOLDS, "1|1|-|-|100|-");
	EXPECT(&f, OPEN, "1|1|1|x|1|100");
	give(&f, 600, 10, A);
	take(&f, 700, 10, B);
	feed_end(&f, 1000);
	EXPECT(&f, HOLDS, "1|1|-|-|100|600 2|1|-|-|700|-");
	EXPECT(&f, OPEN, "2|1|1|x|1|700");
	feed_close(&f);
}

TEST(lock_recursive)
{
	struct feed f;

	threads(&f);
	for (uint64_t i = 0; i < 3; i++) {
		feed_at(&f, 100 + i, 10, 10);
		FEED(&f, LOCK_ACQUIRE, .addr = A, .kind = LOCK_MUTEX, .type = LOCK_RECURSIVE,
			.mode = LOCK_MODE_X);
	}
	feed_flush(&f, 500);
	EXPECT(&f, OPEN, "1|1|1|x|3|100");
	for (uint64_t i = 0; i < 3; i++)
		give(&f, 600 + i, 10, A);
	feed_end(&f, 1000);
	EXPECT(&f, HOLDS, "1|1|-|-|100|602");
	EXPECT(&f, "SELECT count(*) FROM lock_error", "0");
	feed_close(&f);
}

TEST(lock_shared_readers)
{
	struct feed f;

	threads(&f);
	for (uint32_t tid = 10; tid < 12; tid++) {
		feed_at(&f, 90 + tid, 10, tid);
		FEED(&f, LOCK_ACQUIRE, .addr = A, .kind = LOCK_RWLOCK, .mode = LOCK_MODE_S);
	}
	feed_flush(&f, 500);
	EXPECT(&f, OPEN, "1|1|1|s|1|100 1|2|1|s|1|101");
	for (uint32_t tid = 10; tid < 12; tid++) {
		feed_at(&f, 590 + tid, 10, tid);
		FEED(&f, LOCK_RELEASE, .addr = A, .kind = LOCK_RWLOCK);
	}
	feed_end(&f, 1000);
	EXPECT(&f, HOLDS, "1|1|s|-|100|600 1|2|s|-|101|601");
	EXPECT(&f, "SELECT count(*) FROM lock_error", "0");
	feed_close(&f);
}

TEST(lock_refused)
{
	struct feed f;

	threads(&f);
	take(&f, 100, 10, A);
	feed_at(&f, 110, 10, 10);
	FEED(&f, LOCK_ACQUIRE, .addr = A, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X,
		.result = EDEADLK);
	feed_at(&f, 120, 10, 11);
	FEED(&f, LOCK_ACQUIRE, .addr = A, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X, .result = EBUSY,
		.attempt = LOCK_TRY);
	FEED(&f, LOCK_RELEASE, .addr = A, .kind = LOCK_MUTEX, .result = EPERM);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT thread_id, kind, errno, owner_id FROM lock_error",
		"1|deadlock|35|1 2|unlock|1|1");
	EXPECT(&f, "SELECT count(*) FROM lock_hold", "1");
	feed_close(&f);
}

TEST(lock_released_by_other)
{
	struct feed f;

	threads(&f);
	take(&f, 100, 10, A);
	give(&f, 120, 11, A);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT thread_id, kind, errno, owner_id FROM lock_error", "2|unlock|0|1");
	EXPECT(&f, HOLDS, "1|1|-|-|100|120");
	EXPECT(&f, OPEN, "");
	feed_close(&f);
}

TEST(lock_initialised_anew)
{
	struct feed f;

	threads(&f);
	take(&f, 100, 10, A);
	give(&f, 110, 10, A);
	feed_at(&f, 120, 10, 10);
	FEED(&f, LOCK_DESTROY, .addr = A, .kind = LOCK_MUTEX);
	feed_at(&f, 130, 10, 10);
	FEED(&f, LOCK_INIT, .addr = A, .kind = LOCK_MUTEX, .type = LOCK_RECURSIVE, .site = 0x4000);
	take(&f, 140, 10, A);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT id, type, address, created_ns, destroyed_ns FROM lock ORDER BY id",
		"1|normal|4096|100|120 2|recursive|4096|130|-");
	EXPECT(&f, OPEN, "2|1|1|x|1|140");
	feed_close(&f);
}

/* The sanitizers find what is left over of a process that destroyed all its locks before it ended. */
TEST(lock_all_destroyed_before_exit)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	feed_fork(&f, 11);
	feed_at(&f, 200, 11, 11);
	FEED(&f, LOCK_INIT, .addr = A, .kind = LOCK_MUTEX, .type = LOCK_NORMAL, .site = 1);
	FEED(&f, LOCK_DESTROY, .addr = A, .kind = LOCK_MUTEX);
	FEED(&f, EXIT, .last = 1, .autoreap = 1);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT destroyed_ns FROM lock", "200");
	feed_close(&f);
}

/* Fork: what the forking thread held is its child's, what others held is nobody's there. */
TEST(lock_fork)
{
	struct feed f;

	threads(&f);
	take(&f, 100, 10, A);
	take(&f, 110, 11, B);
	feed_at(&f, 200, 10, 10);
	feed_fork(&f, 20);
	feed_flush(&f, 300);
	EXPECT(&f, "SELECT id, process_id, address, origin_id FROM lock ORDER BY id",
		"1|1|4096|- 2|1|8192|- 3|2|8192|2 4|2|4096|1");
	EXPECT(&f, OPEN, "1|1|1|x|1|100 2|2|1|x|1|110 3|2|2|x|1|200 4|4|2|x|1|200");
	feed_at(&f, 400, 20, 20);
	FEED(&f, LOCK_RELEASE, .addr = A, .kind = LOCK_MUTEX);
	FEED(&f, LOCK_INIT, .addr = B, .kind = LOCK_MUTEX, .site = 0x4000);
	feed_flush(&f, 500);
	EXPECT(&f, OPEN, "1|1|1|x|1|100 2|2|1|x|1|110");
	feed_at(&f, 600, 20, 20);
	FEED(&f, LOCK_ACQUIRE, .addr = C, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT count(*) FROM lock_error", "0");
	feed_close(&f);
}

/* A thread ends with a lock and its process goes on: it stays on record. */
TEST(lock_left_taken)
{
	struct feed f;

	threads(&f);
	take(&f, 100, 11, A);
	feed_at(&f, 200, 10, 11);
	FEED(&f, EXIT, .status = 0);
	feed_flush(&f, 100000000);
	EXPECT(&f, OPEN, "1|2|1|x|1|100");
	feed_at(&f, 200000000, 10, 10);
	FEED(&f, EXIT, .last = 1);
	feed_end(&f, 300000000);
	EXPECT(&f, OPEN, "1|2|1|x|1|100");
	EXPECT(&f, HOLDS, "1|2|-|-|100|-");
	feed_close(&f);
}

/* An exit with a lock held is no business of others. */
TEST(lock_held_at_exit)
{
	struct feed f;

	threads(&f);
	take(&f, 100, 10, A);
	feed_at(&f, 200, 10, 10);
	FEED(&f, EXIT, .last = 1);
	feed_end(&f, 1000);
	EXPECT(&f, OPEN, "");
	EXPECT(&f, HOLDS, "1|1|-|-|100|-");
	feed_close(&f);
}

TEST(lock_owner_dead)
{
	struct feed f;

	threads(&f);
	take(&f, 100, 11, A);
	feed_at(&f, 200, 10, 11);
	FEED(&f, EXIT, .status = 0);
	feed_flush(&f, 100000000);
	feed_at(&f, 100000500, 10, 10);
	FEED(&f, LOCK_ACQUIRE, .addr = A, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X,
		.result = EOWNERDEAD);
	feed_end(&f, 100001000);
	EXPECT(&f, "SELECT thread_id, kind FROM lock_error", "1|owner-dead");
	EXPECT(&f, OPEN, "1|1|1|x|1|100000500");
	EXPECT(&f, HOLDS, "1|2|-|-|100|100000500 1|1|-|-|100000500|-");
	feed_close(&f);
}

/* The same while the dead owner is still kept for late records. */
TEST(lock_owner_dead_just_now)
{
	struct feed f;

	threads(&f);
	take(&f, 100, 11, A);
	feed_at(&f, 200, 10, 11);
	FEED(&f, EXIT, .status = 0);
	feed_at(&f, 300, 10, 10);
	FEED(&f, LOCK_ACQUIRE, .addr = A, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X,
		.result = EOWNERDEAD);
	give(&f, 400, 10, A);
	feed_end(&f, 1000);
	EXPECT(&f, OPEN, "");
	EXPECT(&f, HOLDS, "1|2|-|-|100|300 1|1|-|-|300|400");
	feed_close(&f);
}

/* glibc gives back one level of a recursive mutex while it waits for a condition. */
TEST(lock_recursive_during_condition)
{
	struct feed f;

	threads(&f);
	for (int i = 1; i <= 2; i++) {
		feed_at(&f, 100u * (unsigned)i, 10, 10);
		FEED(&f, LOCK_ACQUIRE, .addr = A, .kind = LOCK_MUTEX, .type = LOCK_RECURSIVE,
			.mode = LOCK_MODE_X);
	}
	feed_at(&f, 300, 10, 10);
	FEED(&f, SYNC_BEGIN, .op = SYNC_COND_WAIT, .addr = B, .mutex = A);
	feed_flush(&f, 350);
	EXPECT(&f, OPEN, "1|1|1|x|1|100");
	feed_at(&f, 400, 10, 10);
	FEED(&f, SYNC_END, .op = SYNC_COND_WAIT, .addr = B, .mutex = A, .start = FEED_T0 + 300);
	feed_flush(&f, 450);
	EXPECT(&f, OPEN, "1|1|1|x|2|100");
	give(&f, 500, 10, A);
	give(&f, 600, 10, A);
	feed_end(&f, 1000);
	EXPECT(&f, HOLDS, "1|1|-|-|100|600");
	feed_close(&f);
}

/* The first System V segment of an IPC namespace has the inode 0. */
TEST(lock_in_the_first_segment)
{
	struct feed f;

	threads(&f);
	feed_fork(&f, 20);
	for (uint32_t pid = 10; pid <= 20; pid += 10) {
		feed_at(&f, 100 + pid, pid, pid);
		FEED(&f, WAIT_BEGIN, .syscall = SYS_futex, .arg0 = pid == 10 ? A : B, .dev = 1,
			.inode = 0, .offset = 8);
	}
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT id, process_id, pshared, dev, inode, offset FROM lock", "1|-|1|1|0|8");
	EXPECT(&f, "SELECT lock_id, process_id FROM lock_user ORDER BY 2", "1|1 1|2");
	feed_close(&f);
}

TEST(lock_shared_between_processes)
{
	struct feed f;

	threads(&f);
	FEED(&f, LOCK_INIT, .addr = A, .kind = LOCK_MUTEX, .pshared = 1, .dev = 1, .inode = 70,
		.offset = 8, .site = 0x4000);
	feed_fork(&f, 20);
	feed_at(&f, 50, 20, 20);
	FEED(&f, LOCK_ACQUIRE, .addr = A, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X);
	feed_at(&f, 60, 30, 30); /* unrelated, maps the same file elsewhere */
	FEED(&f, LOCK_INIT, .addr = B, .kind = LOCK_MUTEX, .pshared = 1, .dev = 1, .inode = 70,
		.offset = 8);
	FEED(&f, LOCK_REQUEST, .addr = B, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X);
	feed_at(&f, 70, 20, 20);
	FEED(&f, EXIT, .last = 1);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT id, process_id, pshared, inode, offset FROM lock", "1|-|1|70|8");
	EXPECT(&f, "SELECT lock_id, thread_id, process_id FROM lock_open", "1|4|2");
	EXPECT(&f, "SELECT process_id, end_ns FROM lock_user ORDER BY 1", "1|- 2|70 3|-");
	EXPECT(&f, "SELECT thread_id, reason, lock_id, end_ns FROM wait", "5|lock|1|-");
	feed_close(&f);
}

TEST(lock_edge)
{
	struct feed f;

	threads(&f);
	for (uint64_t i = 0; i < 2; i++) {
		take(&f, 100 + 100 * i, 10, C);
		take(&f, 110 + 100 * i, 10, A);
		take(&f, 120 + 100 * i, 10, B);
		give(&f, 130 + 100 * i, 10, B);
		give(&f, 140 + 100 * i, 10, A);
		give(&f, 150 + 100 * i, 10, C);
	}
	feed_end(&f, 1000);
	EXPECT(&f,
		"SELECT from_lock_id, to_lock_id, thread_id, count, tried, gates, first_ns, last_ns FROM lock_edge ORDER BY 1, 2",
		"1|2|1|2|0|[]|110|210 1|3|1|2|0|[]|120|220 2|3|1|2|0|[1]|120|220");
	feed_close(&f);
}

/* The order counts although the lock is never got. */
TEST(lock_edge_of_request)
{
	struct feed f;

	threads(&f);
	take(&f, 100, 10, A);
	take(&f, 101, 11, B);
	ask(&f, 110, 10, B);
	ask(&f, 111, 11, A);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT from_lock_id, to_lock_id, thread_id, count FROM lock_edge ORDER BY 1",
		"1|2|1|1 2|1|2|1");
	feed_close(&f);
}

TEST(lock_edge_tried)
{
	struct feed f;

	threads(&f);
	take(&f, 100, 10, A);
	feed_at(&f, 110, 10, 10);
	FEED(&f, LOCK_ACQUIRE, .addr = B, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X,
		.attempt = LOCK_TRY);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT tried FROM lock_edge", "1");
	feed_close(&f);
}

/* The recording outgrows its buckets: they become wider, and no time is lost. */
TEST(lane_widens)
{
	struct feed f;

	threads(&f);
	for (uint64_t i = 0; i < 50; i++) {
		take(&f, i * 100000000 + 1000, 10, A);
		give(&f, i * 100000000 + 50001000, 10, A);
		if (i % 10 == 9)
			feed_flush(&f, i * 100000000 + 60000000);
	}
	feed_end(&f, 5000000000);
	EXPECT(&f, "SELECT sum(hold_ns), sum(holds) FROM lane", "2500000000|50");
	EXPECT(&f, "SELECT max(bucket) < 1024 FROM lane", "1");
	EXPECT(&f, "SELECT value FROM setting WHERE name = 'lane_ns'", "8388608");
	feed_close(&f);
}

/* Those of many threads have fewer buckets, that hundreds of threads make no large table; and no time is lost. */
TEST(lanes_of_many_threads_widen)
{
	enum { THREADS = 400 };
	struct feed f;

	threads(&f);
	for (uint64_t i = 0; i < THREADS; i++) {
		feed_at(&f, 500 + i, 10, 10);
		if (i)
			feed_thread(&f, (uint32_t)(1000 + i));
		take(&f, 1000000 + i, i ? 1000 + i : 10, 0x100000 + i * 64);
	}
	for (uint64_t s = 1; s <= 10; s++)
		feed_flush(&f, s * 100000000);
	feed_end(&f, 1000000000);
	EXPECT(&f,
		"SELECT count(*) < 70000, count(DISTINCT thread_id), max(bucket) >= 64 FROM lane",
		"1|400|1");
	EXPECT(&f,
		"SELECT sum(hold_ns) = 400 * 1000000000 - 400 * 1000000 - 400 * 399 / 2, sum(holds) FROM lane",
		"1|400");
	feed_close(&f);
}

TEST(file_lock)
{
	struct feed f;

	threads(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, FILE_LOCK, .class = FLOCK_FLOCK, .mode = LOCK_MODE_X, .dev = 1, .inode = 5,
		.file = 900, .fd = 3);
	feed_at(&f, 150, 30, 30);
	FEED(&f, WAIT_BEGIN, .syscall = 73, .arg0 = 3, .arg1 = 2, .dev = 1, .inode = 5); /* flock */
	feed_flush(&f, 160);
	EXPECT(&f, "SELECT reason, lock_id, mode, end_ns FROM wait", "file-lock|1|x|-");
	EXPECT(&f, OPEN, "1|1|1|x|1|100");
	feed_at(&f, 200, 10, 10);
	FEED(&f, FILE_LOCK, .class = FLOCK_FLOCK, .mode = LOCK_MODE_NONE, .dev = 1, .inode = 5,
		.file = 900, .fd = 3);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT kind, type, process_id, dev, inode FROM lock", "file|flock|-|1|5");
	EXPECT(&f, HOLDS, "1|1|-|-|100|200");
	feed_close(&f);
}

/* Two dead processes are said to have made each other: nobody above them has the lock, and the trace goes on. */
TEST(flock_of_each_others_child)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	feed_fork(&f, 11);
	feed_at(&f, 200, 11, 11);
	feed_fork(&f, 10);
	FEED(&f, FILE_LOCK, .class = FLOCK_FLOCK, .mode = LOCK_MODE_X, .dev = 1, .inode = 5,
		.file = 1, .fd = 3);
	feed_at(&f, 300, 10, 10);
	FEED(&f, EXIT, .last = 1);
	feed_at(&f, 400, 11, 11);
	FEED(&f, EXIT, .last = 1);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT id, parent_id FROM process", "1|2 2|1");
	EXPECT(&f, "SELECT thread_id, release_ns FROM lock_hold", "2|400");
	feed_close(&f);
}

/* A flock survives in the child that shares the description; a POSIX lock does not. */
TEST(file_lock_inherited)
{
	struct feed f;

	threads(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, FILE_LOCK, .class = FLOCK_FLOCK, .mode = LOCK_MODE_X, .dev = 1, .inode = 5,
		.file = 900);
	FEED(&f, FILE_LOCK, .class = FLOCK_POSIX, .mode = LOCK_MODE_X, .dev = 1, .inode = 6,
		.begin = 0, .len = 10);
	feed_fork(&f, 20);
	feed_at(&f, 200, 10, 10);
	FEED(&f, EXIT, .last = 1);
	feed_end(&f, 100000000);
	EXPECT(&f, "SELECT lock_id, thread_id, process_id FROM lock_open", "1|4|2");
	feed_close(&f);
}

/* Exec keeps what a process has locked, also by a thread that ends there; nobody has these numbers, so no file is known to be closed. */
TEST(file_lock_kept_by_exec)
{
	enum { PID = 4000000 };
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, PID, PID);
	FEED(&f, FILE_LOCK, .class = FLOCK_POSIX, .mode = LOCK_MODE_X, .dev = 1, .inode = 5,
		.len = 10);
	feed_at(&f, 200, PID, PID + 1);
	FEED(&f, FILE_LOCK, .class = FLOCK_FLOCK, .mode = LOCK_MODE_X, .dev = 1, .inode = 6,
		.file = 900);
	feed_at(&f, 300, PID, PID);
	FEED(&f, EXEC, .path = "/bin/cat");
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT lock_id, thread_id FROM lock_open ORDER BY 1", "1|1 2|1");
	feed_close(&f);
}

/* Of a file that it closes the lock is gone. */
TEST(file_lock_closed_by_exec)
{
	const uint32_t pid = (uint32_t)getpid();
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, pid, pid);
	FEED(&f, FILE_LOCK, .class = FLOCK_POSIX, .mode = LOCK_MODE_X, .dev = 1, .inode = 5,
		.len = 10);
	FEED(&f, FILE_LOCK, .class = FLOCK_FLOCK, .mode = LOCK_MODE_X, .dev = 1, .inode = 6,
		.file = 900);
	feed_at(&f, 300, pid, pid);
	FEED(&f, EXEC, .path = "/bin/cat");
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT count(*) FROM lock_open", "0");
	EXPECT(&f, "SELECT release_ns FROM lock_hold", "300 300");
	feed_close(&f);
}

/* A try waits for nobody. */
TEST(file_lock_tried)
{
	struct feed f;

	threads(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, FILE_LOCK, .class = FLOCK_POSIX, .mode = LOCK_MODE_X, .dev = 1, .inode = 6);
	FEED(&f, FILE_LOCK, .class = FLOCK_POSIX, .mode = LOCK_MODE_X, .dev = 1, .inode = 7,
		.attempt = LOCK_TRY);
	FEED(&f, FILE_LOCK, .class = FLOCK_POSIX, .mode = LOCK_MODE_X, .dev = 1, .inode = 8);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT from_lock_id, to_lock_id, tried FROM lock_edge ORDER BY 1, 2",
		"1|2|1 1|3|0 2|3|0");
	feed_close(&f);
}

TEST(file_lock_ranges)
{
	struct feed f;

	threads(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, FILE_LOCK, .class = FLOCK_POSIX, .mode = LOCK_MODE_X, .dev = 1, .inode = 6,
		.begin = 0, .len = 10);
	FEED(&f, FILE_LOCK, .class = FLOCK_POSIX, .mode = LOCK_MODE_S, .dev = 1, .inode = 6,
		.begin = 20, .len = 0);
	FEED(&f, FILE_LOCK, .class = FLOCK_POSIX, .mode = LOCK_MODE_X, .dev = 1, .inode = 6,
		.begin = 30, .len = 1, .result = EDEADLK);
	feed_flush(&f, 150);
	EXPECT(&f, "SELECT mode FROM lock_open ORDER BY lock_id", "x s");
	EXPECT(&f, "SELECT kind, errno FROM lock_error", "deadlock|35");
	FEED(&f, FILE_LOCK, .class = FLOCK_POSIX, .mode = LOCK_MODE_NONE, .dev = 1, .inode = 6,
		.begin = 0, .len = 0);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT count(*) FROM lock_open", "0");
	feed_close(&f);
}

/* The callers of an acquisition: told once, then by their number; a signal handler that locked in between has told its own. */
TEST(lock_stacks)
{
	struct feed f;

	threads(&f);
	feed_at(&f, 20, 10, 11);
	FEED(&f, LOCK_STACK, .id = 7, .frame_0 = 0x1111, .frame_1 = 0x2222);
	FEED(&f, LOCK_ACQUIRE, .addr = 0x9000, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X,
		.site = 0x1111);
	FEED(&f, LOCK_STACK, .id = 9, .frame_0 = 0x3333);
	FEED(&f, LOCK_ACQUIRE, .addr = 0x9100, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X,
		.site = 0x1111);
	FEED(&f, LOCK_STACK, .id = 7);
	FEED(&f, LOCK_ACQUIRE, .addr = 0x9200, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X,
		.site = 0x1111);
	FEED(&f, LOCK_STACK, .id = 8); /* was lost */
	FEED(&f, LOCK_ACQUIRE, .addr = 0x9300, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X,
		.site = 0x1111);
	feed_end(&f, 1000);
	EXPECT(&f,
		"SELECT group_concat(coalesce(stack_id, '-')) FROM (SELECT stack_id FROM lock_hold ORDER BY id)",
		"1,-,1,-");
	EXPECT(&f,
		"SELECT group_concat(coalesce(stack_id, '-')) FROM (SELECT stack_id FROM lock_open ORDER BY lock_id)",
		"1,-,1,-");
	EXPECT(&f,
		"SELECT group_concat(s.offset) FROM (SELECT * FROM frame WHERE stack_id = 1 ORDER BY depth) f JOIN site s ON s.id = f.site_id",
		"4369,8738");
	feed_close(&f);
}

/* Takes and releases a lock again and again, 1 us each. */
static void loop(struct feed *f, uint64_t from, uint64_t times, uint32_t tid, uint64_t addr)
{
	for (uint64_t i = 0; i < times; i++) {
		take(f, from + 2000 * i, tid, addr);
		give(f, from + 2000 * i + 1000, tid, addr);
	}
}

#define SUMS                                                                                       \
	"SELECT sum(coalesce(count, 1)), sum(coalesce(held_ns, release_ns - acquire_ns))"          \
	" FROM lock_hold UNION ALL SELECT sum(holds), sum(hold_ns) FROM lock_stat"

/* Equal short holds share rows, apart from the first; sums are the same as with a row each. */
TEST(lock_holds_share_rows)
{
	struct feed f;

	threads(&f);
	loop(&f, 1000, 100000, 10, A);
	feed_end(&f, 500000000);
	EXPECT(&f, SUMS, "100000|100000000 100000|100000000");
	EXPECT(&f,
		"SELECT count(*) BETWEEN 1001 AND 1030, max(release_ns - acquire_ns) <= 100000000"
		" FROM lock_hold",
		"1|1");
	EXPECT(&f,
		"SELECT value = (SELECT sum(count) FROM lock_hold) FROM setting WHERE name ="
		" 'folded_holds'",
		"1");
	/* They stand in the order of their ends, but for the slack that readers allow for. */
	EXPECT(&f,
		"SELECT count(*) FROM lock_hold a JOIN lock_hold b ON b.id = a.id + 1"
		" WHERE b.release_ns < a.release_ns - 100000000",
		"0");
	feed_close(&f);
}

/* What is rare has a row each, however long the recording. */
TEST(lock_holds_that_are_rare_have_rows)
{
	struct feed f;

	threads(&f);
	for (uint64_t i = 0; i < 3000; i++)
		loop(&f, 1000 + i * 20000000, 1, 10, A);
	feed_end(&f, 70000000000);
	EXPECT(&f, "SELECT count(*), count(count) FROM lock_hold", "3000|0");
	feed_close(&f);
}

/* No row spans a moment at which another thread wanted the lock; its holder has a row of its own. */
TEST(lock_holds_that_others_want_have_rows)
{
	struct feed f;

	threads(&f);
	loop(&f, 1000, 2000, 10, A);
	take(&f, 5000000, 10, A);
	ask(&f, 5000100, 11, A);
	give(&f, 5001000, 10, A);
	take(&f, 5001100, 11, A);
	give(&f, 5001200, 11, A);
	loop(&f, 6000000, 2000, 10, A);
	feed_end(&f, 20000000);
	EXPECT(&f, SUMS, "4002|4001100 4002|4001100");
	EXPECT(&f,
		"SELECT count(*) FROM lock_hold WHERE count IS NULL AND acquire_ns <= 5000100"
		" AND release_ns > 5000100",
		"1");
	EXPECT(&f,
		"SELECT count(*) FROM lock_hold WHERE count > 1 AND acquire_ns <= 5000100"
		" AND release_ns >= 5000100",
		"0");
	feed_close(&f);
}

/* Who takes two locks in turn gets two rows, whichever locks they are: one does not keep the other out. */
TEST(lock_holds_in_turn_share_rows)
{
	enum { PAIRS = 100, ROUNDS = 50 };
	uint64_t at = 1000;
	struct feed f;

	threads(&f);
	for (uint64_t pair = 0; pair < PAIRS; pair++)
		for (int i = 0; i < ROUNDS; i++, at += 4000) {
			loop(&f, at, 1, 10, A + 0x1000 + pair * 128);
			loop(&f, at + 2000, 1, 10, A + 0x1000 + pair * 128 + 64);
		}
	feed_end(&f, at);
	/* Of each pair but the first ten, which have rows of their own. */
	EXPECT(&f, "SELECT count(*), min(count), max(count) FROM lock_hold WHERE count IS NOT NULL",
		"180|50|50");
	feed_close(&f);
}

/* Several holds in one record count as they would one by one: sums, order, threads, tries. */
TEST(lock_fold_counts_each)
{
	struct feed f;

	threads(&f);
	take(&f, 100, 10, B);
	feed_at(&f, 5000, 10, 10);
	FEED(&f, LOCK_FOLD, .addr = A, .kind = LOCK_MUTEX, .type = LOCK_NORMAL, .mode = LOCK_MODE_X,
		.count = 20, .first = FEED_T0 + 1000, .held = 2000, .longest = 150,
		.site = 0x400010, .release_site = 0x500000);
	give(&f, 6000, 10, B);
	feed_at(&f, 9000, 10, 10);
	FEED(&f, LOCK_FOLD, .addr = A, .kind = LOCK_MUTEX, .type = LOCK_NORMAL, .mode = LOCK_MODE_X,
		.count = 10, .first = FEED_T0 + 8000, .held = 500, .longest = 60, .site = 0x400010,
		.release_site = 0x500000);
	feed_at(&f, 9500, 10, 11);
	FEED(&f, LOCK_FOLD, .addr = A, .kind = LOCK_MUTEX, .type = LOCK_NORMAL, .mode = LOCK_MODE_X,
		.attempt = LOCK_TRY, .result = EBUSY, .count = 7, .first = FEED_T0 + 9100,
		.site = 0x400011);
	feed_end(&f, 20000);
	EXPECT(&f, "SELECT holds, hold_ns, max_hold_ns, threads FROM lock_stat ORDER BY holds",
		"1|5900|5900|1 30|2500|150|1");
	EXPECT(&f, "SELECT count FROM lock_edge", "20");
	EXPECT(&f, "SELECT acquire_ns, release_ns, count, held_ns FROM lock_hold WHERE count",
		"1000|9000|30|2500");
	EXPECT(&f, "SELECT sum(holds), sum(hold_ns) FROM lane", "31|6400");
	feed_close(&f);
}

/* A recursive mutex that its thread has already was held all along; and what makes no sense is skipped. */
TEST(lock_fold_of_what_is_held)
{
	struct feed f;

	threads(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, LOCK_ACQUIRE, .addr = A, .kind = LOCK_MUTEX, .type = LOCK_RECURSIVE,
		.mode = LOCK_MODE_X, .request = FEED_T0 + 100);
	feed_at(&f, 5000, 10, 10);
	FEED(&f, LOCK_FOLD, .addr = A, .kind = LOCK_MUTEX, .type = LOCK_RECURSIVE,
		.mode = LOCK_MODE_X, .count = 20, .first = FEED_T0 + 1000, .held = 2000,
		.longest = 150);
	FEED(&f, LOCK_FOLD, .addr = A, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X, .count = UINT64_MAX,
		.first = FEED_T0 + 1000, .held = 2000, .longest = 150);
	FEED(&f, LOCK_FOLD, .addr = A, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X, .count = 3,
		.first = FEED_T0 + 6000, .held = UINT64_MAX, .longest = 1);
	FEED(&f, LOCK_FOLD, .addr = A, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X, .count = 3,
		.first = 1ull << 63, .held = 1, .longest = 1);
	ASSERT_INT(model_skipped(f.model), 3);
	give(&f, 6000, 10, A);
	feed_end(&f, 20000);
	EXPECT(&f, "SELECT holds, hold_ns FROM lock_stat", "1|5900");
	EXPECT(&f, HOLDS, "1|1|-|-|100|6000");
	feed_close(&f);
}
