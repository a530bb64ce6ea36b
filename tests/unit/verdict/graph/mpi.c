/* mpi.c - tests of the wait-for graph: ranks of an MPI job, and on whom a call rests. */
/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/mem.h"
#include "tests/unit/fixture.h"
#include "tests/unit/test.h"

#define EXPECT EXPECT_STUCK

/* Processes 1 to n are the ranks 0 to n - 1 of a job of that size, with communicator 1. */
static sqlite3 *job(int n, int size)
{
	sqlite3 *db = fixture_open();

	for (int i = 1; i <= n; i++) {
		fixture_process(db, i, 0);
		fixture_sql(db,
			"UPDATE process SET mpi_job = 'j', mpi_rank = %d, mpi_size = %d WHERE id = %d",
			i - 1, size, i);
	}
	fixture_sql(db,
		"INSERT INTO mpi_comm (id, key, name, size) VALUES (1, 77, 'MPI_COMM_WORLD', %d)",
		size);
	return db;
}

/* A rank waits in a call that needs one thing of a peer (-1: of anybody). */
static void needs(sqlite3 *db, int rank, const char *role, int peer, int tag)
{
	int thread = (rank + 1) * 10;

	fixture_wait(db, thread, "mpi", "mode='all'");
	fixture_sql(db,
		"INSERT INTO mpi_need (wait_id, ordinal, role, comm_id, peer, tag, op)"
		" VALUES (%d, 0, '%s', 1, %d, %d, 'MPI_X')",
		thread, role, peer, tag);
}

static void also_needs(sqlite3 *db, int rank, const char *role, int peer)
{
	fixture_sql(db,
		"INSERT INTO mpi_need (wait_id, ordinal, role, comm_id, peer, tag, op)"
		" VALUES (%d, 1, '%s', 1, %d, 5, 'MPI_X')",
		(rank + 1) * 10, role, peer);
}

/* What a rank has sent to another one, or received, or posted. */
static void counts(sqlite3 *db, int rank, int peer, int tag, int sent, int received, int posted)
{
	fixture_sql(db, "INSERT INTO mpi_traffic VALUES (%d, 1, %d, %d, %d, %d, %d, NULL)",
		rank + 1, peer, tag, sent, received, posted);
}

static sqlite3 *receive_receive(void)
{
	sqlite3 *db = job(2, 2);

	needs(db, 0, "receive", 1, 5);
	needs(db, 1, "receive", 0, 5);
	return db;
}

TEST(mpi_receives_head_to_head)
{
	EXPECT(receive_receive(), "deadlock cycle 10 20");
}

/* One message is on its way: its receiver goes on, and then the other. But not one with another tag, or that was received. */
TEST(mpi_message_under_way)
{
	sqlite3 *db = receive_receive();

	counts(db, 0, 1, 5, 1, 0, 0);
	EXPECT(db, "");
	db = receive_receive();
	counts(db, 0, 1, 6, 1, 0, 0);
	EXPECT(db, "deadlock cycle 10 20");
	db = receive_receive();
	counts(db, 0, 1, 5, 3, 0, 0);
	counts(db, 1, 0, 5, 0, 3, 0);
	EXPECT(db, "deadlock cycle 10 20");
}

/* Any tag, and a sender that may be anybody. */
TEST(mpi_wildcards)
{
	sqlite3 *db = job(2, 2);

	needs(db, 0, "receive", 1, -1);
	needs(db, 1, "receive", 0, 5);
	counts(db, 1, 0, 9, 1, 0, 0);
	EXPECT(db, "");
	db = job(3, 3);
	needs(db, 0, "receive", -1, 5);
	needs(db, 1, "receive", 0, 5);
	EXPECT(db, ""); /* rank 2 runs, and may send */
	db = job(3, 3);
	needs(db, 0, "receive", -1, 5);
	needs(db, 1, "receive", 0, 5);
	needs(db, 2, "receive", 0, 5);
	EXPECT(db, "deadlock knot 10 20 30");
}

/* A rank that is not recorded may do anything; one that is at its end does nothing. */
TEST(mpi_ranks_that_are_elsewhere)
{
	sqlite3 *db = job(1, 2);

	needs(db, 0, "receive", 1, 5);
	EXPECT(db, "");
	db = job(2, 2);
	needs(db, 0, "receive", 1, 5);
	EXPECT(db, "");
	db = job(2, 2);
	needs(db, 0, "receive", 1, 5);
	fixture_sql(db, "UPDATE process SET mpi_end_ns = 500000000 WHERE id = 2");
	EXPECT(db, "deadlock abandoned 10");
}

static sqlite3 *send_send(const char *role)
{
	sqlite3 *db = job(2, 2);

	needs(db, 0, role, 1, 5);
	needs(db, 1, role, 0, 5);
	counts(db, 0, 1, 5, 1, 0, 0);
	counts(db, 1, 0, 5, 1, 0, 0);
	return db;
}

TEST(mpi_sends_head_to_head)
{
	sqlite3 *db;

	EXPECT(send_send("synchronous send"), "deadlock cycle 10 20");
	/* A library may keep what is sent otherwise. */
	EXPECT(send_send("send"), "stuck cycle 10 20");
	/* A receive is posted for one of them: it is about to end. */
	db = send_send("synchronous send");
	counts(db, 1, 0, -1, 0, 0, 1);
	EXPECT(db, "");
	/* It has been received, and will be acknowledged. */
	db = send_send("synchronous send");
	fixture_sql(db, "UPDATE mpi_traffic SET received = 1 WHERE process_id = 2");
	EXPECT(db, "");
}

/* Of several requests all are needed, or any. */
TEST(mpi_several_requests)
{
	sqlite3 *db = job(3, 3);

	needs(db, 0, "receive", 1, 5);
	also_needs(db, 0, "receive", 2);
	needs(db, 1, "receive", 0, 5);
	EXPECT(db, "deadlock cycle 10 20"); /* though rank 2 may send */
	db = job(3, 3);
	needs(db, 0, "receive", 1, 5);
	also_needs(db, 0, "receive", 2);
	needs(db, 1, "receive", 0, 5);
	fixture_sql(db, "UPDATE wait SET mode = 'any' WHERE id = 10");
	EXPECT(db, "");
}

/* How many collective calls a rank has made, and which was the last. */
static void entered(sqlite3 *db, int rank, int n, const char *op)
{
	fixture_sql(db, "INSERT INTO mpi_member VALUES (1, %d, %d, '%s', NULL)", rank + 1, n, op);
}

static void is_in(sqlite3 *db, int rank, const char *role, const char *op, int seq, int root)
{
	needs(db, rank, role, root, -1);
	fixture_sql(db, "UPDATE mpi_need SET op = '%s', seq = %d WHERE wait_id = %d", op, seq,
		(rank + 1) * 10);
	entered(db, rank, seq, op);
}

TEST(mpi_collective)
{
	sqlite3 *db = job(2, 2);

	/* A rank is missing that waits for one that is there. */
	is_in(db, 0, "collective", "MPI_Barrier", 2, -1);
	needs(db, 1, "receive", 0, 5);
	entered(db, 1, 1, "MPI_Bcast");
	EXPECT(db, "deadlock cycle 10 20");
	/* All have come. */
	db = job(2, 2);
	is_in(db, 0, "collective", "MPI_Barrier", 2, -1);
	is_in(db, 1, "collective", "MPI_Barrier", 2, -1);
	EXPECT(db, "");
	/* Each is in another call. */
	db = job(2, 2);
	is_in(db, 0, "collective", "MPI_Barrier", 2, -1);
	is_in(db, 1, "collective", "MPI_Allreduce", 2, -1);
	EXPECT(db, "deadlock cycle 10 20");
	/* The root of a broadcast is elsewhere. */
	db = job(2, 2);
	is_in(db, 0, "collective from root", "MPI_Bcast", 1, 1);
	needs(db, 1, "receive", 0, 5);
	EXPECT(db, "deadlock cycle 10 20");
}

/* Two processes say that they are the same rank of the job: which one is meant is not known. */
TEST(mpi_ambiguous_rank)
{
	sqlite3 *db = receive_receive();

	fixture_process(db, 3, 0);
	fixture_sql(
		db, "UPDATE process SET mpi_job = 'j', mpi_rank = 1, mpi_size = 2 WHERE id = 3");
	EXPECT(db, "");
}
