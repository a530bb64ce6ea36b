/* mpi.c - tests of the model: ranks, messages that are counted, and what a call of MPI needs. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/tracer/model/feed.h"

#define TRAFFIC "SELECT peer, tag, sent, received, posted FROM mpi_traffic ORDER BY peer, tag"
#define NEEDS                                                                                                        \
	"SELECT w.start_ns, w.end_ns, w.mode, n.role, n.peer, n.tag FROM wait w JOIN mpi_need n ON n.wait_id = w.id" \
	" WHERE w.reason = 'mpi' ORDER BY w.start_ns, n.ordinal"

enum { MS = 1000000, ANY = -1, WORLD = 77, PART = 78 };

/* Rank 1 of 4, with MPI_COMM_WORLD. */
static void begin(struct feed *f)
{
	feed_open(f);
	feed_at(f, 10, 10, 10);
	FEED(f, WAIT_END, .waker_pid = 0);
	FEED(f, MPI_RANK, .rank = 1, .size = 4, .job = "job");
	FEED(f, MPI_COMM, .comm = WORLD, .size = 4, .name = "MPI_COMM_WORLD");
}

static void message(struct feed *f, enum mpi_event event, int64_t peer, int64_t tag)
{
	FEED(f, MPI_MESSAGE, .event = event, .comm = WORLD, .peer = (uint64_t)peer,
		.tag = (uint64_t)tag);
}

/* MPI_Recv of a message with tag 5. */
static void receive_begins(struct feed *f, uint64_t ts, uint64_t source)
{
	feed_at(f, ts, 10, 10);
	FEED(f, MPI_BEGIN, .op = MPI_OP_RECV, .role = MPI_ROLE_RECV, .comm = WORLD, .peer = source,
		.tag = 5);
}

TEST(mpi_rank_of_a_job)
{
	struct feed f;

	begin(&f);
	feed_at(&f, 50, 10, 10);
	FEED(&f, MPI_RANK, .rank = 1, .size = 4, .ends = 1, .job = "another");
	feed_end(&f, 100);
	EXPECT(&f, "SELECT mpi_job, mpi_rank, mpi_size, mpi_end_ns FROM process", "job|1|4|50");
	feed_close(&f);
}

/* Rings are written by whoever is traced: a need of no kind, or of one that there is not, is none. */
TEST(mpi_need_of_no_role_is_none)
{
	static const uint64_t roles[] = {MPI_ROLE_NONE, MPI_ROLE_END, UINT64_C(1) << 32,
		(UINT64_C(1) << 32) + MPI_ROLE_RECV};
	struct feed f;

	begin(&f);
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
		feed_at(&f, 20 + i, 10, 10);
		FEED(&f, MPI_NEED, .role = roles[i], .comm = WORLD, .peer = 2, .tag = 6);
	}
	receive_begins(&f, 50, 3);
	feed_flush(&f, 100 * MS);
	EXPECT(&f, NEEDS, "50|-|all|receive|3|5");
	feed_end(&f, 200 * MS);
	feed_close(&f);
}

TEST(mpi_rank_out_of_range_is_none)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 10, 10, 10);
	FEED(&f, MPI_RANK, .rank = UINT64_MAX, .size = 4, .job = "job");
	FEED(&f, MPI_RANK, .rank = 0, .size = UINT64_C(1) << 40, .job = "job");
	feed_end(&f, 100);
	EXPECT(&f, "SELECT mpi_job, mpi_rank FROM process", "-|-");
	feed_close(&f);
}

TEST(mpi_communicator_with_members)
{
	struct feed f;
	struct rec_MPI_MEMBERS two = {.n = 2};
	const int32_t ranks[] = {3, 1};

	begin(&f);
	memcpy(two.ranks, ranks, sizeof ranks);
	feed_send(&f, &two.head, REC_MPI_MEMBERS, sizeof two);
	FEED(&f, MPI_COMM, .comm = PART, .size = 2, .name = "part");
	feed_end(&f, 100);
	EXPECT(&f, "SELECT name, size, members FROM mpi_comm ORDER BY id",
		"MPI_COMM_WORLD|4|- part|2|[3,1]");
	feed_close(&f);
}

TEST(mpi_members_that_do_not_fit_are_left_out)
{
	struct feed f;

	begin(&f);
	FEED(&f, MPI_MEMBERS, .n = UINT64_MAX);
	FEED(&f, MPI_MEMBERS, .n = 65);
	FEED(&f, MPI_COMM, .comm = PART, .size = 2, .name = "part");
	FEED(&f, MPI_COMM, .comm = PART + 1, .size = 0, .name = "nobody");
	FEED(&f, MPI_COMM, .comm = UINT64_MAX, .size = 2, .name = "no number");
	feed_end(&f, 100);
	EXPECT(&f, "SELECT name, members FROM mpi_comm WHERE name <> 'MPI_COMM_WORLD'", "part|-");
	feed_close(&f);
}

TEST(mpi_messages_are_counted)
{
	struct feed f;

	begin(&f);
	message(&f, MPI_SENT, 2, 5);
	message(&f, MPI_SENT, 2, 5);
	message(&f, MPI_RECEIVED, 2, 5);
	message(&f, MPI_POSTED, 0, ANY);
	message(&f, MPI_POSTED, 0, ANY);
	message(&f, MPI_UNPOSTED, 0, ANY);
	message(&f, MPI_UNPOSTED, 3, 1);
	feed_end(&f, 100);
	EXPECT(&f, TRAFFIC, "0|-1|0|0|1 2|5|2|1|0 3|1|0|0|0");
	feed_close(&f);
}

/* A program that takes a new tag for each message: beyond a limit it is not counted, so it may not be judged. */
TEST(mpi_rank_with_too_many_tags_is_not_judged)
{
	struct feed f;

	begin(&f);
	for (int64_t tag = 0; tag <= 1 << 17; tag++)
		message(&f, MPI_SENT, 2, tag);
	feed_end(&f, 100);
	EXPECT(&f, "SELECT mpi_job = '', mpi_rank FROM process", "1|1");
	EXPECT(&f, "SELECT count(*) FROM mpi_traffic", "131072");
	feed_close(&f);
}

TEST(mpi_receive_is_a_wait_for_its_source)
{
	struct feed f;

	begin(&f);
	receive_begins(&f, 20 * MS, 2);
	feed_at(&f, 60 * MS, 10, 10);
	FEED(&f, MPI_END, .op = MPI_OP_RECV);
	feed_end(&f, 100 * MS);
	EXPECT(&f, NEEDS, "20000000|60000000|all|receive|2|5");
	EXPECT(&f, "SELECT op, start_ns, end_ns, peer, tag, seq FROM sync",
		"MPI_Recv|20000000|60000000|2|5|-");
	feed_close(&f);
}

/* What the kernel tells meanwhile is the library's own business. */
TEST(mpi_receive_that_sleeps_is_one_wait)
{
	struct feed f;

	begin(&f);
	receive_begins(&f, 20 * MS, 2);
	feed_at(&f, 30 * MS, 10, 10);
	FEED(&f, WAIT_BEGIN, .syscall = 7);
	feed_at(&f, 40 * MS, 10, 10);
	FEED(&f, WAIT_END, .waker_pid = 0);
	feed_at(&f, 60 * MS, 10, 10);
	FEED(&f, MPI_END, .op = MPI_OP_RECV);
	feed_end(&f, 100 * MS);
	EXPECT(&f, "SELECT reason, start_ns, end_ns FROM wait", "mpi|20000000|60000000");
	feed_close(&f);
}

TEST(mpi_wait_for_one_of_several)
{
	struct feed f;

	begin(&f);
	feed_at(&f, 20, 10, 10);
	FEED(&f, MPI_NEED, .role = MPI_ROLE_RECV, .comm = WORLD, .peer = 0, .tag = 1,
		.op = MPI_OP_IRECV);
	FEED(&f, MPI_NEED, .role = MPI_ROLE_RECV, .comm = WORLD, .peer = 2, .tag = 1,
		.op = MPI_OP_IRECV);
	FEED(&f, MPI_BEGIN, .op = MPI_OP_WAITANY, .any = 1, .comm = WORLD, .peer = (uint64_t)ANY,
		.tag = (uint64_t)ANY);
	feed_end(&f, 100);
	EXPECT(&f, NEEDS, "20|-|any|receive|0|1 20|-|any|receive|2|1");
	feed_close(&f);
}

/* A call whose end was not recorded: the needs of the next one are its own. */
TEST(mpi_needs_of_an_unended_call_are_dropped)
{
	struct feed f;

	begin(&f);
	receive_begins(&f, 20, 2);
	receive_begins(&f, 60, 3);
	FEED(&f, MPI_END, .op = MPI_OP_SEND); /* of another call: not its end */
	feed_end(&f, 100);
	EXPECT(&f,
		"SELECT n.peer FROM wait w JOIN mpi_need n ON n.wait_id = w.id WHERE w.end_ns IS NULL",
		"3");
	feed_close(&f);
}

TEST(mpi_collective_calls_count_up)
{
	struct feed f;

	begin(&f);
	for (uint64_t seq = 1; seq <= 3; seq++) {
		feed_at(&f, 10 * seq + 10, 10, 10);
		FEED(&f, MPI_BEGIN, .op = MPI_OP_BARRIER, .role = MPI_ROLE_ALL, .comm = WORLD,
			.peer = (uint64_t)ANY, .tag = (uint64_t)ANY, .seq = seq);
		if (seq < 3)
			FEED(&f, MPI_END, .op = MPI_OP_BARRIER);
	}
	/* Of an earlier call, told too late. */
	FEED(&f, MPI_MESSAGE, .event = MPI_ENTERED, .comm = WORLD, .tag = MPI_OP_BARRIER, .seq = 2);
	feed_end(&f, 100);
	EXPECT(&f, "SELECT op, entered FROM mpi_member", "MPI_Barrier|3");
	EXPECT(&f, "SELECT seq, end_ns FROM sync ORDER BY start_ns", "1|20 2|30 3|-");
	feed_close(&f);
}

TEST(mpi_records_that_name_no_call_are_left_out)
{
	struct feed f;

	begin(&f);
	FEED(&f, MPI_BEGIN, .op = UINT64_MAX, .role = MPI_ROLE_RECV, .comm = WORLD);
	FEED(&f, MPI_BEGIN, .op = MPI_OP_RECV, .role = 99, .comm = WORLD);
	FEED(&f, MPI_NEED, .role = UINT64_MAX);
	FEED(&f, MPI_END, .op = MPI_OP_RECV);
	FEED(&f, MPI_MESSAGE, .event = 77, .comm = 12345, .peer = 1, .tag = 1);
	FEED(&f, MPI_MESSAGE, .event = MPI_ENTERED, .comm = 12345, .seq = 1);
	feed_end(&f, 100);
	EXPECT(&f, "SELECT count(*) FROM wait", "0");
	EXPECT(&f, "SELECT count(*) FROM sync", "0");
	EXPECT(&f, TRAFFIC, "");
	EXPECT(&f, "SELECT count(*) FROM mpi_member", "0");
	feed_close(&f);
}
