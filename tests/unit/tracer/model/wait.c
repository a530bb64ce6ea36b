/* wait.c - tests of the model: waits, futexes, conditions, semaphores, barriers, joins. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/tracer/model/feed.h"

#include <linux/futex.h>
#include <string.h>
#include <sys/wait.h>

#include "base/mem.h"

/* Numbers of system calls, of x86-64. */
enum {
	READ = 0,
	WRITE = 1,
	POLL = 7,
	PAUSE = 34,
	SLEEP = 35,
	VFORK = 58,
	WAIT4 = 61,
	FUTEX = 202,
	EPOLL_WAIT = 232,
	WAITID = 247,
	OPENAT = 257
};

enum { MUTEX = 0x1000, COND = 0x2000, SEM = 0x3000 };

#define WAITS                                                                                      \
	"SELECT thread_id, reason, lock_id, target_thread_id, timed FROM wait ORDER BY start_ns"

static void begin(struct feed *f)
{
	feed_open(f);
	feed_at(f, 10, 10, 10);
	FEED(f, FORK, .child_pid = 10, .child_tid = 11, .tid_addr = 0x9000, .flags = 0x10f00);
	FEED(f, FORK, .child_pid = 10, .child_tid = 12, .tid_addr = 0x9900, .flags = 0x10f00);
}

/* A futex call that blocks, with the ten words that begin 12 bytes before the address. */
static void futex(struct feed *f, uint32_t tid, uint64_t addr, unsigned op, uint64_t value,
	const uint32_t words[10])
{
	struct rec_WAIT_BEGIN rec = {.syscall = FUTEX,
		.arg0 = addr,
		.arg1 = op,
		.arg2 = value,
		.words_valid = words ? 40 : 0};

	if (words)
		memcpy(rec.words, words, sizeof rec.words);
	feed_at(f, f->ts - FEED_T0 + 10, 10, tid);
	feed_send(f, &rec.head, REC_WAIT_BEGIN, sizeof rec);
}

#define WORDS(...) ((const uint32_t[10]){__VA_ARGS__})

TEST(wait_reasons)
{
	static const struct {
		uint64_t syscall, arg0, arg1, file_kind, timed;
		const char *want;
	} rows[] = {
		{READ, 0, 0, FILE_TTY, 0, "tty"},
		{READ, 0, 0, FILE_SOCKET, 0, "socket"},
		{READ, 0, 0, FILE_EVENTFD, 0, "eventfd"},
		{READ, 0, 0, FILE_TIMERFD, 0, "timerfd"},
		{READ, 0, 0, FILE_REG, 0, "file"},
		{WRITE, 0, 0, FILE_PIPE, 0, "pipe-write"},
		{POLL, 0, 2, 0, 0, "poll"},
		{POLL, 0, 0, 0, 1, "sleep"},
		{POLL, 0, 0, 0, 0, "signal"},
		{PAUSE, 0, 0, 0, 0, "signal"},
		{SLEEP, 0, 0, 0, 1, "sleep"},
		{OPENAT, 0, 0, FILE_FIFO, 0, "fifo-open"},
		{999, 0, 0, 0, 0, "other"},
		{(uint64_t)-1, 0, 0, 0, 0, "other"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct feed f;

		feed_open(&f);
		feed_at(&f, 100, 10, 10);
		FEED(&f, WAIT_BEGIN, .syscall = rows[i].syscall, .arg0 = rows[i].arg0,
			.arg1 = rows[i].arg1, .file_kind = rows[i].file_kind,
			.timed = rows[i].timed);
		feed_end(&f, 1000);
		EXPECT(&f, "SELECT reason FROM wait", rows[i].want);
		feed_close(&f);
	}
}

TEST(wait_end)
{
	struct feed f;

	begin(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, WAIT_BEGIN, .syscall = SLEEP, .timed = 1, .sigmask = 6);
	feed_flush(&f, 200);
	EXPECT(&f, "SELECT start_ns, end_ns, syscall, sigmask FROM wait", "100|-|nanosleep|6");
	feed_at(&f, 300, 10, 10);
	FEED(&f, WAIT_END, .waker_pid = 10, .waker_tid = 11);
	FEED(&f, WAIT_END, .waker_pid = 10, .waker_tid = 11);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT start_ns, end_ns, waker_id FROM wait", "100|300|2");
	feed_close(&f);
}

TEST(wait_for_pipe)
{
	struct feed f;

	begin(&f);
	FEED(&f, END_OPEN, .kind = PIPE_PIPE, .dev = 8, .inode = 77, .fd = 3, .mode = END_READ,
		.via = END_CREATE);
	feed_at(&f, 100, 10, 10);
	FEED(&f, WAIT_BEGIN, .syscall = READ, .arg0 = 3, .file_kind = FILE_PIPE, .dev = 8,
		.inode = 77);
	FEED(&f, END_CLOSE, .inode = 77, .fd = 3, .via = END_CLOSE_CALL);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT reason, pipe_id, mode FROM wait", "pipe-read|1|r");
	feed_close(&f);
}

/* It may miss bytes in the one or room in the other; between a pipe and a file only the pipe blocks. */
TEST(wait_for_either_of_two_pipes)
{
	enum { SPLICE = 275, TEE = 276 };
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, END_OPEN, .kind = PIPE_PIPE, .mode = END_READ, .fd = 3, .dev = 13, .inode = 7,
		.via = END_CREATE);
	FEED(&f, END_OPEN, .kind = PIPE_PIPE, .mode = END_WRITE, .fd = 4, .dev = 13, .inode = 8,
		.via = END_CREATE);
	FEED(&f, WAIT_BEGIN, .syscall = SPLICE, .arg0 = 3, .arg2 = 4, .file_kind = FILE_PIPE,
		.dev = 13, .inode = 7);
	feed_at(&f, 3000000, 10, 10);
	FEED(&f, WAIT_BEGIN, .syscall = TEE, .arg0 = 3, .arg1 = 4, .arg2 = 5,
		.file_kind = FILE_PIPE, .dev = 13, .inode = 7);
	feed_at(&f, 6000000, 10, 10);
	FEED(&f, WAIT_BEGIN, .syscall = SPLICE, .arg0 = 9, .arg2 = 4, .file_kind = FILE_PIPE,
		.dev = 13, .inode = 8);
	feed_at(&f, 9000000, 10, 10);
	FEED(&f, WAIT_BEGIN, .syscall = SPLICE, .arg0 = 3, .arg2 = 9, .file_kind = FILE_PIPE,
		.dev = 13, .inode = 7);
	feed_end(&f, 12000000);
	EXPECT(&f, "SELECT reason FROM wait ORDER BY start_ns", "poll poll pipe-write pipe-read");
	EXPECT(&f, "SELECT o.mode, p.inode FROM wait_on o JOIN pipe p ON p.id = o.pipe_id",
		"r|7 w|8 r|7 w|8");
	feed_close(&f);
}

TEST(wait_for_child)
{
	struct feed f;

	begin(&f);
	feed_fork(&f, 20);
	feed_at(&f, 100, 10, 10);
	FEED(&f, WAIT_BEGIN, .syscall = WAIT4, .arg0 = 20);
	feed_at(&f, 100, 10, 11);
	FEED(&f, WAIT_BEGIN, .syscall = WAIT4, .arg0 = (uint64_t)-1);
	feed_at(&f, 100, 10, 12);
	FEED(&f, WAIT_BEGIN, .syscall = WAITID, .arg0 = P_PGID, .arg1 = 7);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT reason, target_process_id, target_pgid FROM wait ORDER BY thread_id",
		"child|2|- child|-|- child|-|7");
	feed_close(&f);
}

/* Numbers that no kernel says. */
TEST(wait_for_child_forged)
{
	struct feed f;

	begin(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, WAIT_BEGIN, .syscall = WAIT4, .peer = (uint64_t)1 << 63);
	feed_at(&f, 100, 10, 11);
	FEED(&f, WAIT_BEGIN, .syscall = WAIT4, .arg0 = (uint64_t)1 << 31);
	feed_at(&f, 100, 10, 12);
	FEED(&f, WAIT_BEGIN, .syscall = WAITID, .arg0 = P_PGID, .arg1 = (uint64_t)1 << 31);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT reason FROM wait", "child child child");
	feed_close(&f);
}

TEST(wait_for_vfork)
{
	struct feed f;

	begin(&f);
	FEED(&f, FORK, .child_pid = 20, .child_tid = 20, .flags = 0x4111);
	FEED(&f, WAIT_BEGIN, .syscall = VFORK, .reason = WAIT_VFORK);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT reason, target_process_id FROM wait", "vfork|2");
	EXPECT(&f, "SELECT created_by FROM process WHERE id = 2", "vfork");
	feed_close(&f);
}

TEST(wait_on_set)
{
	struct feed f;
	struct rec_poll_item items[2] = {
		/* For reading and for writing, as Python's poll.register asks; it can only be read. */
		{.fd = 3, .events = 7, .file_kind = FILE_PIPE, .dev = 8, .inode = 77},
		{.fd = 5, .events = 5, .file_kind = FILE_TTY}};
	struct rec_MORE more = {.what = MORE_POLL, .len = sizeof items};

	begin(&f);
	FEED(&f, END_OPEN, .kind = PIPE_PIPE, .dev = 8, .inode = 77, .fd = 3, .mode = END_READ,
		.via = END_CREATE);
	memcpy(more.data, items, sizeof items);
	feed_send(&f, &more.head, REC_MORE, sizeof more);
	FEED(&f, WAIT_BEGIN, .syscall = POLL, .arg1 = 2);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT reason, detail FROM wait", "poll|2 descriptors");
	EXPECT(&f, "SELECT wait_id, ordinal, fd, kind, mode, pipe_id FROM wait_on",
		"1|0|3|pipe|r|1 1|1|5|tty|rw|-");
	feed_close(&f);
}

/* An epoll set without members, or with members that could not be read. */
TEST(wait_on_set_of_what_is_not_known)
{
	struct feed f;

	begin(&f);
	FEED(&f, WAIT_BEGIN, .syscall = EPOLL_WAIT, .arg0 = 4, .timed = 1);
	feed_at(&f, 20, 10, 11);
	FEED(&f, WAIT_BEGIN, .syscall = POLL, .arg1 = 2);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT reason, detail FROM wait ORDER BY start_ns",
		"poll|what the epoll set on descriptor 4 has poll|descriptors that are not known");
	feed_close(&f);
}

TEST(wait_holding_locks)
{
	struct feed f;

	begin(&f);
	FEED(&f, LOCK_ACQUIRE, .addr = MUTEX, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X);
	FEED(&f, WAIT_BEGIN, .syscall = SLEEP, .timed = 1);
	feed_at(&f, 20000000, 10, 10);
	FEED(&f, WAIT_END, .waker_tid = 0);
	feed_end(&f, 30000000);
	EXPECT(&f, "SELECT wait_id, lock_id FROM wait_hold", "1|1");
	feed_close(&f);
}

TEST(wait_site)
{
	struct feed f;

	begin(&f);
	FEED(&f, WAIT_BEGIN, .syscall = SLEEP);
	FEED(&f, WAIT_SITE, .site = 0x4444);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT s.offset FROM wait w JOIN site s ON s.id = w.site_id", "17476");
	feed_close(&f);
}

TEST(wait_frames)
{
	struct feed f;

	begin(&f);
	FEED(&f, WAIT_FRAME, .addr = 0x1111); /* of no wait */
	FEED(&f, WAIT_BEGIN, .syscall = SLEEP);
	FEED(&f, WAIT_FRAME, .addr = 0x3333, .depth = 0);
	FEED(&f, WAIT_FRAME, .addr = 0x4444, .depth = 1, .is_return = 1);
	FEED(&f, WAIT_FRAME, .addr = 0x5555, .depth = 1ull << 40); /* counted as they come */
	feed_end(&f, 1000);
	EXPECT(&f,
		"SELECT group_concat(f.depth || ':' || s.offset) FROM wait w JOIN frame f USING (stack_id)"
		" JOIN site s ON s.id = f.site_id",
		"0:13107,1:17476,2:21845");
	EXPECT(&f, "SELECT count(*) FROM frame", "3");
	feed_close(&f);
}

/* The frames of the language are those that a person wants to see: in whatever order they come. */
TEST(wait_frames_of_a_language)
{
	struct feed f;

	begin(&f);
	FEED(&f, WAIT_BEGIN, .syscall = SLEEP);
	FEED(&f, WAIT_FRAME, .addr = 0x3333);
	FEED(&f, RUNTIME_FRAME, .depth = 0, .line = 7, .place = 1, .language = "python",
		.function = "transfer", .file = "/bank.py");
	FEED(&f, WAIT_FRAME, .addr = 0x3333);
	FEED(&f, WAIT_SITE, .site = 0x3333);
	feed_end(&f, 1000);
	EXPECT(&f,
		"SELECT a.function, b.function FROM wait w JOIN frame f USING (stack_id)"
		" JOIN site a ON a.id = f.site_id JOIN site b ON b.id = w.site_id",
		"transfer|transfer");
	feed_close(&f);
}

TEST(oldest_wait)
{
	struct feed f;

	begin(&f);
	ASSERT_INT(model_oldest_wait(f.model), 0);
	feed_at(&f, 100, 10, 10);
	FEED(&f, WAIT_BEGIN, .syscall = SLEEP, .timed = 1);
	ASSERT_INT(model_oldest_wait(f.model), 0);
	feed_at(&f, 200, 10, 11);
	FEED(&f, WAIT_BEGIN, .syscall = PAUSE);
	ASSERT_INT(model_oldest_wait(f.model), FEED_T0 + 200);
	feed_end(&f, 1000);
	feed_close(&f);
}

TEST(futex_mutex)
{
	struct feed f;

	begin(&f);
	/* lock 2, count 0, owner 12, one user, kind normal */
	futex(&f, 11, MUTEX, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 2, WORDS(0, 0, 0, 2, 0, 12, 1, 0));
	feed_flush(&f, 500);
	EXPECT(&f, WAITS, "2|lock|1|3|0");
	EXPECT(&f, "SELECT kind, type, address FROM lock", "mutex|normal|4096");
	EXPECT(&f, "SELECT lock_id, thread_id, process_id, inferred FROM lock_open", "1|3|1|1");
	feed_at(&f, 600, 10, 11);
	FEED(&f, WAIT_END, .waker_tid = 12);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT count(*) FROM lock_open", "0");
	EXPECT(&f, "SELECT contended, wait_ns FROM lock_stat", "1|580");
	feed_close(&f);
}

/* The words look like a mutex, but nobody has the owner's tid: an unknown futex. */
/* Thread 12 owns the mutex, and 10 wakes the only one that waits for it: 10 has released what it did not take. */
TEST(wait_mutex_released_by_another)
{
	struct feed f;

	begin(&f);
	futex(&f, 11, MUTEX, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 2, WORDS(0, 0, 0, 2, 0, 12, 1, 0));
	feed_at(&f, 500, 10, 11);
	FEED(&f, WAIT_END, .waker_tid = 10);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT foreign_posts FROM lock_stat", "1");
	feed_close(&f);
}

/* With two that wait, the first may have had it in between. */
TEST(wait_mutex_handed_on)
{
	struct feed f;

	begin(&f);
	futex(&f, 11, MUTEX, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 2, WORDS(0, 0, 0, 2, 0, 12, 1, 0));
	futex(&f, 10, MUTEX, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 2, WORDS(0, 0, 0, 2, 0, 12, 1, 0));
	feed_at(&f, 500, 10, 10);
	FEED(&f, WAIT_END, .waker_tid = 12);
	feed_at(&f, 600, 10, 11);
	FEED(&f, WAIT_END, .waker_tid = 10);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT foreign_posts FROM lock_stat", "0");
	feed_close(&f);
}

/* A try for a semaphore that lasts for a second; waker: who ended it, 0: its time-out. */
static void try_for_a_second(struct feed *f, uint32_t waker)
{
	uint64_t ts = f->ts - FEED_T0 + 1000;

	feed_at(f, ts, 10, 11);
	FEED(f, SYNC_BEGIN, .addr = SEM, .op = SYNC_SEM_WAIT, .timed = 1);
	FEED(f, WAIT_BEGIN, .syscall = FUTEX, .arg0 = SEM, .timed = 1);
	feed_at(f, ts + 1000000000, 10, 11);
	FEED(f, WAIT_END, .waker_tid = waker);
	FEED(f, SYNC_END, .addr = SEM, .op = SYNC_SEM_WAIT, .result = waker ? 0 : 110);
}

/* From the third time on it is one wait; who was given it, has taken a lock or used a pipe meanwhile waits anew. */
TEST(wait_again_after_each_time_out)
{
	struct feed f;

	begin(&f);
	for (int i = 0; i < 3; i++)
		try_for_a_second(&f, 0);
	try_for_a_second(&f, 12);
	try_for_a_second(&f, 0);
	FEED(&f, LOCK_ACQUIRE, .addr = MUTEX, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X);
	try_for_a_second(&f, 0);
	FEED(&f, PIPE_IO, .op = IO_READ);
	try_for_a_second(&f, 0);
	try_for_a_second(&f, 0);
	feed_end(&f, 9000000000);
	EXPECT(&f, "SELECT timed, (end_ns - start_ns) / 1000000000 FROM wait ORDER BY start_ns",
		"2|4 1|1 1|1 1|2");
	feed_close(&f);
}

TEST(futex_unknown)
{
	struct feed f;

	begin(&f);
	futex(&f, 11, MUTEX, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 2, WORDS(0, 0, 0, 2, 0, 4711, 1, 0));
	futex(&f, 12, 0x5000, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL);
	feed_end(&f, 1000);
	EXPECT(&f, WAITS, "2|futex|1|-|0 3|futex|2|-|0");
	EXPECT(&f, "SELECT kind FROM lock", "futex futex");
	feed_close(&f);
}

TEST(futex_robust_mutex)
{
	struct feed f;

	begin(&f);
	futex(&f, 11, MUTEX, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 12 | FUTEX_WAITERS,
		WORDS(0, 0, 0, 12 | FUTEX_WAITERS, 1, 12, 1, 16 + 1));
	feed_end(&f, 1000);
	EXPECT(&f, WAITS, "2|lock|1|3|0");
	EXPECT(&f, "SELECT type FROM lock", "recursive+robust");
	feed_close(&f);
}

TEST(futex_objects)
{
	const unsigned bitset = FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME;
	struct feed f;

	begin(&f);
	/* A semaphore: value 0, one waiter. */
	futex(&f, 10, SEM, bitset, 0, WORDS(0, 0, 0, 0, 1, 0, 0, 0));
	/* A condition: one waiter counted at +36, the wait is at +40. */
	futex(&f, 11, COND + 40, bitset, 0, WORDS(0, 0, 8, 0, 0, 0, 0, 0));
	/* A barrier for three: one is in, the round is 0. */
	futex(&f, 12, 0x6004, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, WORDS(0, 0, 1, 0, 3, 0, 0, 0));
	feed_end(&f, 1000);
	EXPECT(&f, WAITS, "1|sem|1|-|0 2|cond|2|-|0 3|barrier|3|-|0");
	EXPECT(&f, "SELECT kind, address FROM lock ORDER BY id",
		"sem|12288 cond|8192 barrier|24576");
	feed_close(&f);
}

TEST(futex_rwlock)
{
	struct feed f;

	begin(&f);
	/* Writer 12 has it; a reader waits at +8: readers, writers, phase, -, pads, writer, private. */
	futex(&f, 11, 0x7008, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 3,
		WORDS(0, 11, 0, 3, 1, 0, 0, 12, 0, 0));
	feed_end(&f, 1000);
	EXPECT(&f, WAITS, "2|lock|1|3|0");
	EXPECT(&f, "SELECT kind, address FROM lock", "rwlock|28672");
	feed_close(&f);
}

TEST(futex_join)
{
	struct feed f;

	begin(&f);
	futex(&f, 10, 0x9900, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 12, WORDS(0, 0, 0, 12));
	feed_end(&f, 1000);
	EXPECT(&f, WAITS, "1|join|-|3|0");
	feed_close(&f);
}

TEST(futex_shared)
{
	struct feed f;
	struct rec_WAIT_BEGIN rec = {.syscall = FUTEX,
		.arg0 = SEM,
		.arg1 = FUTEX_WAIT_BITSET,
		.words_valid = 40,
		.dev = 1,
		.inode = 70,
		.offset = 64};
	const uint32_t words[10] = {0, 0, 0, 0, 1, 128};

	begin(&f);
	memcpy(rec.words, words, sizeof words);
	feed_send(&f, &rec.head, REC_WAIT_BEGIN, sizeof rec);
	feed_at(&f, 50, 99, 99);
	FEED(&f, SHARED_MAP, .dev = 1, .inode = 70, .outside = 1);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT kind, pshared, process_id, inode, offset, outside FROM lock",
		"sem|1|-|70|64|1");
	EXPECT(&f, "SELECT lock_id, process_id FROM lock_user", "1|1");
	EXPECT(&f, "SELECT count(*) FROM process", "1");
	feed_close(&f);
}

TEST(sync_cond)
{
	struct feed f;

	begin(&f);
	feed_at(&f, 100, 10, 11);
	FEED(&f, LOCK_ACQUIRE, .addr = MUTEX, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X);
	feed_at(&f, 110, 10, 11);
	FEED(&f, SYNC_BEGIN, .op = SYNC_COND_WAIT, .addr = COND, .mutex = MUTEX);
	feed_flush(&f, 150);
	EXPECT(&f, "SELECT op, start_ns, end_ns, mutex_id FROM sync", "wait|110|-|1");
	EXPECT(&f, "SELECT reason, lock_id FROM wait", "cond|2");
	EXPECT(&f, "SELECT count(*) FROM lock_open", "0");
	feed_at(&f, 200, 10, 12);
	FEED(&f, SYNC_END, .op = SYNC_COND_SIGNAL, .addr = COND, .value = (uint64_t)-1,
		.start = FEED_T0 + 200);
	feed_at(&f, 210, 10, 11);
	FEED(&f, SYNC_END, .op = SYNC_COND_WAIT, .addr = COND, .mutex = MUTEX,
		.start = FEED_T0 + 110);
	feed_end(&f, 1000);
	EXPECT(&f,
		"SELECT thread_id, op, start_ns, end_ns, result, value FROM sync ORDER BY start_ns",
		"2|wait|110|210|0|- 3|signal|200|200|0|1");
	EXPECT(&f, "SELECT acquire_ns, release_ns FROM lock_hold ORDER BY 1", "100|110 210|-");
	EXPECT(&f, "SELECT reason, start_ns, end_ns FROM wait", "cond|110|210");
	feed_close(&f);
}

/* A signal handler posts a semaphore on top of the call: the mutex is held again all the same when it returns. */
TEST(sync_cond_interrupted)
{
	struct feed f;

	begin(&f);
	feed_at(&f, 100, 10, 11);
	FEED(&f, LOCK_ACQUIRE, .addr = MUTEX, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X);
	feed_at(&f, 110, 10, 11);
	FEED(&f, SYNC_BEGIN, .op = SYNC_COND_WAIT, .addr = COND, .mutex = MUTEX);
	feed_at(&f, 150, 10, 11);
	FEED(&f, SYNC_END, .op = SYNC_SEM_POST, .addr = SEM, .value = 1);
	feed_at(&f, 210, 10, 11);
	FEED(&f, SYNC_END, .op = SYNC_COND_WAIT, .addr = COND, .mutex = MUTEX,
		.start = FEED_T0 + 110);
	feed_at(&f, 220, 10, 11);
	FEED(&f, LOCK_RELEASE, .addr = MUTEX, .kind = LOCK_MUTEX);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT acquire_ns, release_ns FROM lock_hold ORDER BY 1", "100|110 210|220");
	EXPECT(&f, "SELECT count(*) FROM lock_error", "0");
	feed_close(&f);
}

/* Woken from the condition, the thread blocks for the mutex before the call returns. */
TEST(sync_cond_then_mutex)
{
	struct feed f;

	begin(&f);
	feed_at(&f, 110, 10, 11);
	FEED(&f, SYNC_BEGIN, .op = SYNC_COND_WAIT, .addr = COND, .mutex = MUTEX);
	futex(&f, 11, COND + 44, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0, NULL);
	FEED(&f, WAIT_END, .waker_tid = 12);
	futex(&f, 11, MUTEX, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 2, NULL);
	feed_end(&f, 1000);
	EXPECT(&f,
		"SELECT w.reason, l.kind, w.end_ns FROM wait w JOIN lock l ON l.id = w.lock_id ORDER BY w.start_ns",
		"cond|cond|120 lock|mutex|-");
	feed_close(&f);
}

TEST(sync_sem)
{
	struct feed f;

	begin(&f);
	FEED(&f, LOCK_INIT, .addr = SEM, .kind = LOCK_SEM, .value = 1, .site = 0x4000);
	FEED(&f, SYNC_END, .op = SYNC_SEM_WAIT, .addr = SEM);
	FEED(&f, SYNC_END, .op = SYNC_SEM_POST, .addr = SEM, .value = 1);
	FEED(&f, SYNC_END, .op = SYNC_SEM_TRYWAIT, .addr = SEM, .result = 11, .value = 1);
	feed_at(&f, 100, 10, 11);
	FEED(&f, SYNC_BEGIN, .op = SYNC_SEM_WAIT, .addr = SEM);
	FEED(&f, SYNC_END, .op = SYNC_SEM_WAIT, .addr = SEM);
	feed_at(&f, 200, 10, 12);
	FEED(&f, SYNC_END, .op = SYNC_SEM_POST, .addr = SEM, .value = 1);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT initial FROM lock", "1");
	EXPECT(&f,
		"SELECT posts, foreign_posts, takes, cycles, last_taker_id, value FROM lock_stat",
		"2|1|2|1|2|1");
	feed_close(&f);
}

TEST(sync_barrier)
{
	struct feed f;

	begin(&f);
	for (uint32_t tid = 10; tid < 12; tid++) {
		feed_at(&f, 100 + tid, 10, tid);
		FEED(&f, SYNC_BEGIN, .op = SYNC_BARRIER_WAIT, .addr = 0x6000, .value = 3);
	}
	feed_flush(&f, 200);
	EXPECT(&f, "SELECT l.initial, s.value FROM lock l JOIN lock_stat s ON s.lock_id = l.id",
		"3|2");
	feed_at(&f, 300, 10, 12);
	FEED(&f, SYNC_BEGIN, .op = SYNC_BARRIER_WAIT, .addr = 0x6000, .value = 3);
	for (uint32_t tid = 10; tid < 13; tid++) {
		feed_at(&f, 310 + tid, 10, tid);
		FEED(&f, SYNC_END, .op = SYNC_BARRIER_WAIT, .addr = 0x6000,
			.result = tid == 12 ? (uint64_t)-1 : 0);
	}
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT value FROM lock_stat", "0");
	EXPECT(&f, "SELECT thread_id, end_ns, result FROM sync ORDER BY 1",
		"1|320|0 2|321|0 3|322|-1");
	feed_close(&f);
}

TEST(sync_join)
{
	struct feed f;

	begin(&f);
	FEED(&f, SYNC_BEGIN, .op = SYNC_JOIN, .target = 12);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT op, target_id, end_ns FROM sync", "join|3|-");
	EXPECT(&f, WAITS, "1|join|-|3|0");
	feed_close(&f);
}

/* What is called inside an initialiser does not make two calls of it. */
TEST(sync_nested)
{
	struct feed f;

	begin(&f);
	feed_at(&f, 100, 10, 11);
	FEED(&f, SYNC_BEGIN, .op = SYNC_ONCE_RUN, .addr = 0x8000);
	feed_at(&f, 110, 10, 11);
	FEED(&f, SYNC_BEGIN, .op = SYNC_ONCE_RUN, .addr = 0x9000);
	feed_at(&f, 120, 10, 11);
	FEED(&f, SYNC_END, .op = SYNC_ONCE_RUN, .addr = 0x9000);
	feed_at(&f, 130, 10, 11);
	FEED(&f, SYNC_END, .op = SYNC_ONCE_RUN, .addr = 0x8000, .result = 125);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT end_ns, result FROM sync ORDER BY id", "130|125 120|0");
	feed_close(&f);
}

TEST(sync_once)
{
	struct feed f;

	begin(&f);
	feed_at(&f, 100, 10, 11);
	FEED(&f, SYNC_BEGIN, .op = SYNC_ONCE_RUN, .addr = 0x8000);
	feed_at(&f, 110, 10, 12);
	FEED(&f, SYNC_BEGIN, .op = SYNC_ONCE_WAIT, .addr = 0x8000);
	feed_end(&f, 1000);
	EXPECT(&f, WAITS, "3|once|1|2|0");
	feed_close(&f);
}

TEST(sched_and_sample)
{
	struct feed f;

	begin(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, SCHED, .start = FEED_T0 + 50, .cpu = 1);
	FEED(&f, SAMPLE, .ip = 0x4010, .period_ns = 10);
	FEED(&f, SAMPLE, .ip = 0x4000, .period_ns = 10);
	FEED(&f, SAMPLE, .ip = 0x5000, .period_ns = 10);
	FEED(&f, STDIO, .fd = 1, .pending = 5, .when = STDIO_EXIT, .data = "hello");
	FEED(&f, EXIT, .last = 1);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT thread_id, start_ns, end_ns, cpu FROM sched", "1|50|100|1");
	EXPECT(&f, "SELECT address, cpu_ns FROM sample", "16384|20 20480|10");
	EXPECT(&f, "SELECT process_id, fd, pending, at, data FROM stdio", "1|1|5|exit|hello");
	feed_close(&f);
}

TEST(losses)
{
	struct feed f;

	begin(&f);
	model_loss(f.model, "ebpf", REC_PIPE_IO, 3);
	model_loss(f.model, "ebpf", REC_PIPE_IO, 7);
	model_loss(f.model, "shim", 0, 2);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT source, kind, count FROM lost ORDER BY 1", "ebpf|PIPE_IO|7 shim|any|2");
	EXPECT(&f, "SELECT lost FROM trace", "9");
	feed_close(&f);
}

/* A record that was given up has been written later. */
TEST(losses_that_come_after_all)
{
	struct feed f;

	begin(&f);
	model_loss(f.model, "shim", 0, 2);
	ASSERT_INT(model_flush(f.model, FEED_T0 + 10), 0);
	model_loss(f.model, "shim", 0, 0);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT count(*) FROM lost", "0");
	EXPECT(&f, "SELECT lost FROM trace", "0");
	feed_close(&f);
}

/* Each between two looks; what goes on, or stops for an instant only, is one gap; what has come after all is none. */
TEST(losses_have_their_time)
{
	static const struct {
		uint64_t ms, ebpf, shim;
	} looks[] = {{100, 0, 0}, {200, 3, 0}, {300, 5, 0}, {400, 5, 2}, {500, 5, 2}, {600, 5, 0},
		{700, 9, 0}};
	struct feed f;

	begin(&f);
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++) {
		model_loss(f.model, "ebpf", REC_PIPE_IO, looks[i].ebpf);
		model_loss(f.model, "shim", 0, looks[i].shim);
		model_losses_are_read(f.model, FEED_T0 + looks[i].ms * 1000000);
		if (i % 2)
			ASSERT_INT(model_flush(f.model, FEED_T0 + looks[i].ms * 1000000), 0);
	}
	feed_end(&f, 1000000000);
	EXPECT(&f, "SELECT source, kind, start_ns / 1000000, end_ns / 1000000, count FROM gap",
		"ebpf|PIPE_IO|100|300|5 ebpf|PIPE_IO|600|700|4");
	EXPECT(&f, "SELECT ts_ns, kind, text FROM event WHERE kind = 'lost' LIMIT 1",
		"100000000|lost|5 events lost (PIPE_IO from ebpf) until 0.3 s");
	feed_close(&f);
}

TEST(losses_that_a_program_makes_up_do_not_overflow)
{
	struct feed f;

	begin(&f);
	for (uint64_t i = 0; i < 10; i++) {
		model_loss(f.model, "shim", 0, UINT64_MAX - i);
		model_loss(f.model, "shim", 0, (uint64_t)INT64_MAX + i);
		model_loss(f.model, "shim", 1, (uint64_t)1 << 63);
		model_loss(f.model, "shim", 0, i);
	}
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT count FROM lost ORDER BY kind = 'any'", "281474976710656 9");
	EXPECT(&f, "SELECT lost FROM trace", "281474976710665");
	feed_close(&f);
}

/* ---- What the runtime of a language says ---- */

static void read_monitor(struct feed *f, uint32_t tid, uint64_t owner)
{
	feed_at(f, f->ts - FEED_T0 + 10, 10, tid);
	FEED(f, RUNTIME_WAIT, .reason = WAIT_LOCK, .kind = LOCK_MONITOR, .object = 0x7000,
		.target = owner, .name = "Bank.audit", .type = "java.lang.Object");
}

/* The thread that wants a monitor wakes up by itself to see whether it is free: that is one wait. */
TEST(runtime_monitor_looked_at_now_and_then)
{
	struct feed f;

	begin(&f);
	futex(&f, 11, 0x5000, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL);
	read_monitor(&f, 11, 12);
	for (int i = 0; i < 3; i++) {
		feed_at(&f, f.ts - FEED_T0 + 1000000, 10, 11);
		FEED(&f, WAIT_END, .waker_tid = 0);
		futex(&f, 11, 0x5000, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL);
	}
	feed_end(&f, 900000000);
	EXPECT(&f, WAITS, "2|lock|2|3|0");
	EXPECT(&f, "SELECT kind, type, name FROM lock WHERE id = (SELECT lock_id FROM wait)",
		"monitor|java.lang.Object|Bank.audit");
	EXPECT(&f, "SELECT count(*) FROM wait WHERE end_ns IS NULL", "1");
	feed_close(&f);
}

/* Somebody woke it: what it waits for then is not known. */
TEST(runtime_monitor_given)
{
	struct feed f;

	begin(&f);
	futex(&f, 11, 0x5000, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL);
	read_monitor(&f, 11, 12);
	feed_at(&f, f.ts - FEED_T0 + 1000, 10, 11);
	FEED(&f, WAIT_END, .waker_tid = 12);
	futex(&f, 11, 0x5000, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL);
	feed_end(&f, 900000000);
	EXPECT(&f, "SELECT reason, end_ns IS NULL FROM wait ORDER BY start_ns", "lock|0 futex|1");
	feed_close(&f);
}

/* Owners, joined threads and children are those of the process itself, whatever a record says. */
TEST(runtime_wait_for_strangers)
{
	struct feed f;

	begin(&f);
	futex(&f, 11, 0x5000, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL);
	read_monitor(&f, 11, 4711);
	feed_at(&f, f.ts - FEED_T0 + 10, 10, 12);
	futex(&f, 12, 0x6000, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL);
	FEED(&f, RUNTIME_WAIT, .reason = WAIT_CHILD, .target = 10);
	feed_end(&f, 900000000);
	EXPECT(&f,
		"SELECT reason, target_thread_id IS NULL, target_process_id IS NULL FROM wait"
		" ORDER BY start_ns",
		"lock|1|1 other|1|1");
	feed_close(&f);
}

/* What a look saw of a goroutine: one wait as long as it is for the same, and none of a process that has ended. */
TEST(runtime_task)
{
	const uint32_t task = RUNTIME_TASK_FIRST + 7;
	struct feed f;

	begin(&f);
	for (uint64_t ts = 1000; ts <= 4000; ts += 1000) {
		feed_at(&f, ts, 10, task);
		FEED(&f, FOUND, .ns_pid = 10, .start_ts = FEED_T0 + ts);
		FEED(&f, RUNTIME_WAIT, .reason = WAIT_LOCK, .kind = LOCK_OBJECT,
			.object = ts < 3000 ? 0x7000 : 0x8000, .type = "sync.Mutex");
		FEED(&f, RUNTIME_NAME, .language = "go", .name = "goroutine 7");
	}
	feed_at(&f, 5000, 10, task);
	FEED(&f, RUNTIME_WAIT, .reason = WAIT_NONE);
	feed_at(&f, 6000, 4711, task + 1);
	FEED(&f, RUNTIME_WAIT, .reason = WAIT_SLEEP);
	feed_end(&f, 9000);
	EXPECT(&f, "SELECT start_ns, end_ns, reason FROM wait ORDER BY 1",
		"1000|3000|lock 3000|5000|lock");
	EXPECT(&f, "SELECT runtime_name FROM thread WHERE tid > 1000", "goroutine 7");
	EXPECT(&f, "SELECT count(*) FROM process WHERE pid = 4711", "0");
	feed_close(&f);
}
