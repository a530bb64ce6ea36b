/* pipe.c - tests of the model: pipes, their ends, what flows. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/tracer/model/feed.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include <sched.h>

/* What pipe() leaves in a process: fd 3 reads, fd 4 writes. */
static void make_pipe(struct feed *f, uint64_t inode)
{
	FEED(f, END_OPEN, .kind = PIPE_PIPE, .dev = 8, .inode = inode, .fd = 3, .mode = END_READ,
		.via = END_CREATE);
	FEED(f, END_OPEN, .kind = PIPE_PIPE, .dev = 8, .inode = inode, .fd = 4, .mode = END_WRITE,
		.via = END_CREATE);
}

static void confirm(struct feed *f, uint64_t inode, uint64_t fd, uint64_t via)
{
	FEED(f, END_OPEN, .kind = PIPE_PIPE, .dev = 8, .inode = inode, .fd = fd,
		.mode = fd == 3 ? END_READ : END_WRITE, .via = via);
}

#define ENDS                                                                                       \
	"SELECT process_id, fd, mode, open_ns, open_via, close_ns, close_via FROM pipe_end ORDER BY id"

TEST(end_open)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	make_pipe(&f, 77);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT id, kind, inode, dev, created_ns, creator_id, name FROM pipe",
		"1|pipe|77|8|100|1|pipe 1");
	EXPECT(&f, ENDS, "1|3|r|100|create|-|- 1|4|w|100|create|-|-");
	feed_close(&f);
}

TEST(end_inherited_and_closed)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	make_pipe(&f, 77);
	feed_fork(&f, 11);
	feed_at(&f, 200, 10, 10);
	FEED(&f, END_CLOSE, .inode = 77, .fd = 3, .via = END_CLOSE_CALL);
	feed_at(&f, 300, 11, 11);
	FEED(&f, EXIT, .last = 1);
	feed_end(&f, 1000);
	EXPECT(&f, ENDS,
		"1|3|r|100|create|200|close 1|4|w|100|create|-|- 2|3|r|100|inherit|300|exit 2|4|w|100|inherit|300|exit");
	feed_close(&f);
}

/* Another thread closed a descriptor while the fork went on: the child never had it. */
TEST(end_not_confirmed)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	make_pipe(&f, 77);
	feed_fork(&f, 11);
	feed_at(&f, 100, 11, 11);
	confirm(&f, 77, 4, END_INHERIT);
	feed_at(&f, 200, 11, 11);
	FEED(&f, COMM, .comm = "kid");
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT fd, mode FROM pipe_end WHERE process_id = 2", "4|w");
	feed_close(&f);
}

/* A child that computes tells nothing; it holds what it inherited all the same. */
TEST(end_of_silent_child)
{
	struct feed f;

	feed_open(&f);
	f.flags = REC_SHIM;
	feed_at(&f, 100, 10, 10);
	make_pipe(&f, 77);
	feed_fork(&f, 11);
	feed_flush(&f, 500);
	EXPECT(&f, "SELECT fd, mode FROM pipe_end WHERE process_id = 2", "3|r 4|w");
	feed_close(&f);
}

TEST(end_closed_on_exec)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	make_pipe(&f, 77);
	feed_at(&f, 200, 10, 10);
	confirm(&f, 77, 4, END_EXEC);
	FEED(&f, EXEC, .old_tid = 10, .path = "/bin/x");
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT fd, close_ns, close_via FROM pipe_end", "3|200|exec 4|-|-");
	feed_close(&f);
}

/* What the fork confirmed is not what the exec kept. */
TEST(end_closed_on_exec_after_fork)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	make_pipe(&f, 77);
	feed_fork(&f, 11);
	feed_at(&f, 100, 11, 11);
	confirm(&f, 77, 3, END_INHERIT);
	confirm(&f, 77, 4, END_INHERIT);
	feed_at(&f, 200, 11, 11);
	confirm(&f, 77, 3, END_EXEC);
	FEED(&f, EXEC, .old_tid = 11, .path = "/bin/x");
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT fd, close_ns, close_via FROM pipe_end WHERE process_id = 2",
		"3|-|- 4|200|exec");
	feed_close(&f);
}

/* A process that announces a program that cannot report itself lists all it has: then the flag counts too. */
TEST(end_closed_on_exec_by_flag)
{
	struct feed f;

	feed_open(&f);
	f.flags = REC_SHIM;
	feed_at(&f, 100, 10, 10);
	make_pipe(&f, 77);
	FEED(&f, END_OPEN, .kind = PIPE_PIPE, .dev = 8, .inode = 78, .fd = 5, .mode = END_READ,
		.via = END_CREATE, .cloexec = 1);
	feed_at(&f, 200, 10, 10);
	confirm(&f, 77, 3, END_EXEC);
	FEED(&f, END_OPEN, .kind = PIPE_PIPE, .dev = 8, .inode = 78, .fd = 5, .mode = END_READ,
		.via = END_EXEC, .cloexec = 1);
	FEED(&f, EXEC, .old_tid = 10, .path = "/bin/x");
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT fd, close_ns, close_via FROM pipe_end", "3|-|- 4|200|exec 5|200|exec");
	feed_close(&f);
}

TEST(end_replaced)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	make_pipe(&f, 77);
	feed_at(&f, 200, 10, 10);
	FEED(&f, END_CLOSE, .fd = 3, .via = END_REPLACED);
	FEED(&f, END_OPEN, .kind = PIPE_PIPE, .dev = 8, .inode = 77, .fd = 3, .mode = END_WRITE,
		.via = END_DUP);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT fd, mode, open_via, close_ns, close_via FROM pipe_end",
		"3|r|create|200|replaced 4|w|create|-|- 3|w|dup|-|-");
	feed_close(&f);
}

TEST(end_shared_table)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	make_pipe(&f, 77);
	FEED(&f, FORK, .child_pid = 11, .child_tid = 11, .flags = CLONE_FILES | 17);
	feed_at(&f, 200, 11, 11);
	FEED(&f, END_CLOSE, .inode = 77, .fd = 4, .via = END_CLOSE_CALL);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT process_id, close_ns FROM pipe_end WHERE fd = 4 ORDER BY 1",
		"1|200 2|200");
	feed_close(&f);
}

/* Each is said to have made the other, with one table of descriptors: a trace goes on all the same. */
TEST(end_shared_by_each_others_child)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	make_pipe(&f, 77);
	FEED(&f, FORK, .child_pid = 11, .child_tid = 11, .flags = CLONE_FILES | 17);
	feed_at(&f, 200, 11, 11);
	FEED(&f, FORK, .child_pid = 10, .child_tid = 10, .flags = CLONE_FILES | 17);
	FEED(&f, END_CLOSE, .inode = 77, .fd = 4, .via = END_CLOSE_CALL);
	feed_at(&f, 300, 10, 10);
	FEED(&f, END_CLOSE, .inode = 77, .fd = 3, .via = END_CLOSE_CALL);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT process_id, fd, close_ns FROM pipe_end ORDER BY 1, 2",
		"1|3|300 1|4|200 2|3|300 2|4|200");
	feed_close(&f);
}

/* The first word of the child's own is that of a thread that nobody has spoken of yet. */
TEST(end_not_confirmed_by_new_thread)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	make_pipe(&f, 77);
	feed_fork(&f, 11);
	feed_at(&f, 100, 11, 11);
	confirm(&f, 77, 4, END_INHERIT);
	feed_at(&f, 200, 11, 12);
	FEED(&f, COMM, .comm = "kid");
	feed_at(&f, 300, 10, 10);
	FEED(&f, REAP, .child_pid = 11);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT fd, mode FROM pipe_end WHERE process_id = 2", "4|w");
	feed_close(&f);
}

TEST(inode_used_again)
{
	struct feed f;

	feed_open(&f);
	for (uint64_t i = 0; i < 2; i++) {
		feed_at(&f, 100 + i * 100, 10, 10);
		make_pipe(&f, 77);
		FEED(&f, END_CLOSE, .inode = 77, .fd = 3, .via = END_CLOSE_CALL);
		FEED(&f, END_CLOSE, .inode = 77, .fd = 4, .via = END_CLOSE_CALL);
	}
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT id, created_ns FROM pipe", "1|100 2|200");
	EXPECT(&f, "SELECT pipe_id, count(*) FROM pipe_end GROUP BY 1", "1|2 2|2");
	feed_close(&f);
}

TEST(pipe_io)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, COMM, .comm = "ls");
	make_pipe(&f, 77);
	feed_fork(&f, 11);
	feed_at(&f, 200, 11, 11);
	FEED(&f, COMM, .comm = "sort");
	feed_at(&f, 300, 10, 10);
	FEED(&f, PIPE_IO, .dev = 8, .inode = 77, .fd = 4, .op = IO_WRITE, .start = FEED_T0 + 250,
		.requested = 5, .result = 5, .data_len = 5, .data = "hello");
	feed_at(&f, 400, 11, 11);
	FEED(&f, PIPE_IO, .dev = 8, .inode = 77, .fd = 3, .op = IO_READ, .start = FEED_T0 + 350,
		.requested = 64, .result = 5);
	FEED(&f, PIPE_IO, .dev = 8, .inode = 77, .fd = 3, .op = IO_READV, .start = FEED_T0 + 399,
		.requested = 64, .result = (uint64_t)-4);
	FEED(&f, PIPE_IO, .dev = 8, .inode = 99, .fd = 9,
		.op = IO_READ); /* a pipe that nobody made */
	feed_end(&f, 1000);
	EXPECT(&f,
		"SELECT pipe_id, thread_id, fd, op, start_ns, end_ns, requested, bytes, errno, data, call FROM pipe_io",
		"1|1|4|write|250|300|5|5|-|hello|write 1|2|3|read|350|400|64|5|-|-|read 1|2|3|read|399|400|64|-|4|-|readv");
	EXPECT(&f, "SELECT name FROM pipe", "pipe 1 (ls -> sort)");
	ASSERT_INT(model_skipped(f.model), 1);
	feed_close(&f);
}

/* A result that no kernel returns. */
TEST(pipe_io_forged_result)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	make_pipe(&f, 77);
	FEED(&f, PIPE_IO, .dev = 8, .inode = 77, .fd = 3, .op = IO_READ,
		.result = (uint64_t)1 << 63);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT bytes, errno FROM pipe_io", "-|-");
	feed_close(&f);
}

/* A thread that writes one pipe again and again: most calls share a row, and none is lost. What took long, moved nothing or failed has its own. */
static void write_often(struct feed *f, int n)
{
	feed_at(f, 100, 10, 10);
	make_pipe(f, 77);
	for (int i = 0; i < n; i++) {
		feed_at(f, 1000 + (uint64_t)i * 100, 10, 10);
		FEED(f, PIPE_IO, .dev = 8, .inode = 77, .fd = 4, .op = IO_WRITE,
			.start = FEED_T0 + 950 + (uint64_t)i * 100, .requested = 5, .result = 5,
			.data_len = 5, .data = "hello");
	}
	feed_at(f, 1000000, 10, 10);
	FEED(f, PIPE_IO, .dev = 8, .inode = 77, .fd = 4, .op = IO_WRITE, .start = FEED_T0 + 900000,
		.requested = 6, .result = 6);
	FEED(f, PIPE_IO, .dev = 8, .inode = 77, .fd = 4, .op = IO_WRITE, .start = FEED_T0 + 999999,
		.requested = 6, .result = (uint64_t)-11);
	FEED(f, PIPE_IO, .dev = 8, .inode = 77, .fd = 3, .op = IO_READ, .start = FEED_T0 + 999999);
}

TEST(pipe_io_folded)
{
	struct feed f;

	feed_open(&f);
	write_often(&f, 1500);
	feed_end(&f, 2000000);
	EXPECT(&f,
		"SELECT start_ns, end_ns, requested, bytes, data, call, count FROM pipe_io WHERE count IS NOT NULL",
		"100950|150900|2500|2500|-|write|500");
	EXPECT(&f,
		"SELECT count(*), sum(coalesce(count, 1)), sum(bytes), count(data) FROM pipe_io WHERE op = 'write'",
		"1003|1502|7506|1000");
	EXPECT(&f, "SELECT op, bytes, errno, count FROM pipe_io WHERE start_ns >= 900000",
		"write|6|-|- write|-|11|- read|0|-|-");
	feed_close(&f);
}

/* Who writes to a pipe and reads from it in turn gets two rows, whichever pipe it is: one kind of call does not keep the other out. */
TEST(pipe_io_folded_in_turn)
{
	enum { PIPES = 64, ROUNDS = 50 };
	uint64_t at = 1000;
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	for (uint64_t inode = 100; inode < 100 + PIPES; inode++) {
		make_pipe(&f, inode);
		for (int i = 0; i < 2 * ROUNDS; i++, at += 100) {
			feed_at(&f, at, 10, 10);
			FEED(&f, PIPE_IO, .dev = 8, .inode = inode, .fd = 4 - i % 2,
				.op = i % 2 ? IO_READ : IO_WRITE, .start = FEED_T0 + at - 50,
				.requested = 5, .result = 5);
		}
	}
	feed_end(&f, at);
	/* All but those of the first ten pipes, which have rows of their own. */
	EXPECT(&f, "SELECT count(*), min(count), max(count) FROM pipe_io WHERE count IS NOT NULL",
		"108|50|50");
	EXPECT(&f, "SELECT count(*) FROM pipe_io WHERE count IS NULL", "1000");
	feed_close(&f);
}

/* The report of several calls may come when the thread has ended and the descriptor is closed: it makes neither anew. */
TEST(pipe_fold)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	make_pipe(&f, 77);
	feed_fork(&f, 11);
	feed_at(&f, 150, 11, 11);
	FEED(&f, END_CLOSE, .inode = 77, .fd = 3, .via = END_CLOSE_CALL);
	FEED(&f, EXIT, .last = 1);
	feed_at(&f, 300, 11, 11);
	FEED(&f, PIPE_FOLD, .dev = 8, .inode = 77, .fd = 3, .op = IO_READ, .start = FEED_T0 + 110,
		.last = FEED_T0 + 140, .count = 7, .requested = 448, .bytes = 70);
	feed_at(&f, 300, 10, 10);
	FEED(&f, PIPE_FOLD, .dev = 8, .inode = 77, .fd = 4, .op = IO_WRITE, .start = FEED_T0 + 110,
		.last = FEED_T0 + 120, .count = 1, .requested = 10, .bytes = 10);
	/* A thread that nobody knows, a pipe that nobody made, times that run backwards, numbers that no kernel counts to. */
	feed_at(&f, 300, 12, 12);
	FEED(&f, PIPE_FOLD, .dev = 8, .inode = 77, .fd = 4, .op = IO_WRITE, .count = 2);
	feed_at(&f, 300, 10, 10);
	FEED(&f, PIPE_FOLD, .dev = 8, .inode = 99, .fd = 4, .op = IO_WRITE, .count = 2);
	FEED(&f, PIPE_FOLD, .dev = 8, .inode = 77, .fd = 4, .op = IO_WRITE, .start = 2, .last = 1,
		.count = 2);
	FEED(&f, PIPE_FOLD, .dev = 8, .inode = 77, .fd = 4, .op = IO_WRITE, .count = (uint64_t)-1);
	FEED(&f, PIPE_FOLD, .dev = 8, .inode = 77, .fd = 4, .op = IO_WRITE, .count = 2,
		.bytes = (uint64_t)-1);
	FEED(&f, PIPE_FOLD, .dev = 8, .inode = 77, .fd = 4, .op = 1000, .count = 2);
	feed_end(&f, 1000);
	EXPECT(&f,
		"SELECT thread_id, fd, op, start_ns, end_ns, requested, bytes, errno, data, call, count FROM pipe_io",
		"2|3|read|110|140|448|70|-|-|read|7 1|4|write|110|120|10|10|-|-|write|-");
	EXPECT(&f,
		"SELECT process_id, fd, open_via FROM pipe_end WHERE process_id = 2 AND close_ns IS NULL",
		"");
	EXPECT(&f, "SELECT count(*) FROM thread", "2");
	ASSERT_INT(model_skipped(f.model), 6);
	feed_close(&f);
}

/* Late records find the pipe although its last end is closed. */
TEST(pipe_io_after_close)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	make_pipe(&f, 77);
	FEED(&f, EXIT, .last = 1);
	FEED(&f, PIPE_IO, .dev = 8, .inode = 77, .fd = 4, .op = IO_WRITE, .start = FEED_T0 + 90,
		.requested = 1, .result = 1);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT pipe_id, bytes FROM pipe_io", "1|1");
	EXPECT(&f, "SELECT count(*) FROM pipe_end", "2");
	feed_close(&f);
}

TEST(socketpair)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, END_OPEN, .kind = PIPE_SOCKETPAIR, .dev = 9, .inode = 50, .inode2 = 51, .fd = 5,
		.mode = END_READ | END_WRITE, .via = END_CREATE);
	FEED(&f, END_OPEN, .kind = PIPE_SOCKETPAIR, .dev = 9, .inode = 51, .inode2 = 50, .fd = 6,
		.mode = END_READ | END_WRITE, .via = END_CREATE);
	FEED(&f, PIPE_IO, .dev = 9, .inode = 51, .fd = 6, .op = IO_SEND, .start = FEED_T0 + 90,
		.requested = 3, .result = 3);
	FEED(&f, OUTSIDE, .dev = 9, .inode = 50, .mode = END_READ | END_WRITE);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT kind, inode, inode2, outside FROM pipe", "socketpair|50|51|1");
	EXPECT(&f, "SELECT fd, mode, side FROM pipe_end", "5|rw|0 6|rw|1");
	EXPECT(&f, "SELECT op, side FROM pipe_io", "write|1");
	feed_close(&f);
}

/* The two sides of a TCP connection have its key in common; each becomes known when it comes about. */
TEST(socket_tcp)
{
	const struct {
		uint16_t family, port;
		unsigned char addr[12];
	} here = {AF_INET, htons(80), {127, 0, 0, 1}}, there = {AF_INET, htons(81), {127, 0, 0, 1}};
	struct rec_SOCKET name = {.dev = 9, .inode = 50, .local_len = 16, .remote_len = 16};
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, END_OPEN, .kind = PIPE_TCP, .dev = 9, .inode = 50, .inode2 = 777, .fd = 5,
		.mode = END_READ | END_WRITE, .via = END_CONNECT);
	memcpy(name.local, &here, sizeof here);
	memcpy(name.remote, &there, sizeof there);
	feed_send(&f, &name.head, REC_SOCKET, sizeof name);
	feed_flush(&f, 150);
	EXPECT(&f, "SELECT kind, inode, inode2, outside, local, remote FROM pipe",
		"tcp|50|-|2|127.0.0.1:80|127.0.0.1:81");
	feed_at(&f, 200, 20, 20);
	FEED(&f, END_OPEN, .kind = PIPE_TCP, .dev = 9, .inode = 51, .inode2 = 777, .fd = 6,
		.mode = END_READ | END_WRITE, .via = END_ACCEPT);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT inode, inode2, outside FROM pipe", "50|51|0");
	EXPECT(&f, "SELECT fd, side, open_via FROM pipe_end", "5|0|connect 6|1|accept");
	feed_close(&f);
}

/* A third socket with the same addresses, in another network: nobody is told apart any more. */
TEST(socket_tcp_twice)
{
	struct feed f;

	feed_open(&f);
	for (unsigned i = 0; i < 3; i++) {
		feed_at(&f, 100 + i, 10 + i, 10 + i);
		FEED(&f, END_OPEN, .kind = PIPE_TCP, .dev = 9, .inode = 50 + i, .inode2 = 777,
			.fd = 5, .mode = END_READ | END_WRITE,
			.via = i == 1 ? END_ACCEPT : END_CONNECT);
	}
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT inode, inode2, outside FROM pipe ORDER BY id", "50|51|3 52|-|3");
	feed_close(&f);
}

/* The client's socket knows no other one before it is accepted; who listens does. */
TEST(socket_unix)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, END_OPEN, .kind = PIPE_LISTEN, .dev = 9, .inode = 40, .fd = 3,
		.mode = END_READ | END_WRITE, .via = END_LISTEN);
	FEED(&f, SOCKET, .dev = 9, .inode = 40, .listener = 4711, .local = "\1\0/tmp/s",
		.local_len = 8);
	feed_at(&f, 200, 20, 20);
	FEED(&f, END_OPEN, .kind = PIPE_UNIX, .dev = 9, .inode = 50, .fd = 5,
		.mode = END_READ | END_WRITE, .via = END_CONNECT);
	FEED(&f, SOCKET, .dev = 9, .inode = 50, .listener = 4711, .remote = "\1\0/tmp/s",
		.remote_len = 8);
	feed_flush(&f, 250);
	EXPECT(&f, "SELECT kind, inode2, outside, local, remote, listener_id FROM pipe ORDER BY id",
		"listen|-|2|/tmp/s|-|- unix|-|2|-|/tmp/s|1");
	feed_at(&f, 300, 10, 10);
	FEED(&f, END_OPEN, .kind = PIPE_UNIX, .dev = 9, .inode = 51, .inode2 = 50, .fd = 4,
		.mode = END_READ | END_WRITE, .via = END_ACCEPT);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT inode, inode2, outside FROM pipe WHERE kind = 'unix'", "50|51|0");
	EXPECT(&f, "SELECT fd, side FROM pipe_end WHERE pipe_id = 2", "5|0 4|1");
	feed_close(&f);
}

TEST(outside)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, END_OPEN, .kind = PIPE_PIPE, .dev = 8, .inode = 77, .fd = 0, .mode = END_READ,
		.via = END_FOUND);
	feed_at(&f, 100, 99, 99);
	FEED(&f, OUTSIDE, .kind = PIPE_PIPE, .dev = 8, .inode = 77, .mode = END_WRITE);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT created_ns, creator_id, outside FROM pipe", "-|-|2");
	EXPECT(&f, "SELECT count(*) FROM process", "1");
	feed_close(&f);
}

TEST(fifo)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, END_OPEN, .kind = PIPE_FIFO, .dev = 8, .inode = 5, .fd = 3, .mode = END_READ,
		.via = END_OPENED, .path = "/tmp/fifo");
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT kind, path, created_ns, name FROM pipe",
		"fifo|/tmp/fifo|100|fifo /tmp/fifo");
	feed_close(&f);
}

/* A record of another device for the other side of a connection: nothing of it is found any more when it is gone. */
TEST(forged_device_of_a_side)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, END_OPEN, .kind = PIPE_TCP, .dev = 9, .inode = 50, .inode2 = 777, .fd = 5,
		.mode = END_READ | END_WRITE, .via = END_CONNECT);
	feed_at(&f, 110, 10, 10);
	FEED(&f, END_OPEN, .kind = PIPE_TCP, .dev = 8, .inode = 51, .inode2 = 777, .fd = 6,
		.mode = END_READ | END_WRITE, .via = END_ACCEPT);
	for (unsigned fd = 5; fd <= 6; fd++) {
		feed_at(&f, 120, 10, 10);
		FEED(&f, END_CLOSE, .fd = fd, .via = END_CLOSE_CALL);
	}
	feed_flush(&f, 60000000000);
	feed_at(&f, 60000001000, 10, 10);
	FEED(&f, END_OPEN, .kind = PIPE_TCP, .dev = 8, .inode = 51, .inode2 = 778, .fd = 7,
		.mode = END_READ | END_WRITE, .via = END_CONNECT);
	feed_end(&f, 60000002000);
	EXPECT(&f, "SELECT count(*) FROM pipe", "2");
	feed_close(&f);
}
