/* cases.c - what goes wrong in MPI programs, and how it is done right: cases NAME. */
/* SPDX-License-Identifier: MIT */
/*
 * The kinds are those of which MUST tells (deadlocks of receives, sends, collective calls, wildcards, communicators,
 * requests; lost messages; collective calls that do not fit together), written anew. A case "x" has a healthy twin "x-right".
 * Built by the tests with each MPI library's own mpicc.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGE = 1 << 20 };

static int me, size;
static char large[LARGE], other[LARGE];

static int left(void)
{
	return (me + size - 1) % size;
}

static int right(void)
{
	return (me + 1) % size;
}

/* ---- Receives ---- */

/* Each receives first. */
static void recv_recv(void)
{
	MPI_Recv(other, 8, MPI_CHAR, left(), 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
	MPI_Send(large, 8, MPI_CHAR, right(), 1, MPI_COMM_WORLD);
}

static void recv_recv_right(void)
{
	for (int i = 0; i < 20; i++) {
		if (me == 0)
			MPI_Send(large, 8, MPI_CHAR, right(), 1, MPI_COMM_WORLD);
		MPI_Recv(other, 8, MPI_CHAR, left(), 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
		if (me != 0)
			MPI_Send(large, 8, MPI_CHAR, right(), 1, MPI_COMM_WORLD);
	}
}

/* From anybody, and nobody sends. */
static void wildcard(void)
{
	MPI_Recv(
		other, 8, MPI_CHAR, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

static void wildcard_right(void)
{
	MPI_Status s;

	for (int i = 1; me == 0 && i < size; i++) {
		MPI_Recv(other, 8, MPI_CHAR, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &s);
		if (s.MPI_TAG != s.MPI_SOURCE)
			exit(3);
	}
	if (me != 0)
		MPI_Send(large, 8, MPI_CHAR, 0, me, MPI_COMM_WORLD);
}

/* What is sent has another tag than what is received. */
static void tags(void)
{
	if (me == 0)
		MPI_Send(large, 8, MPI_CHAR, 1, 7, MPI_COMM_WORLD);
	else if (me == 1)
		MPI_Recv(other, 8, MPI_CHAR, 0, 8, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
	MPI_Barrier(MPI_COMM_WORLD);
}

static void tags_right(void)
{
	if (me == 0) {
		MPI_Send(large, 8, MPI_CHAR, 1, 7, MPI_COMM_WORLD);
		MPI_Send(large, 8, MPI_CHAR, 1, 8, MPI_COMM_WORLD);
	} else if (me == 1) {
		MPI_Recv(other, 8, MPI_CHAR, 0, 8, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
		MPI_Recv(other, 8, MPI_CHAR, 0, 7, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
	}
	MPI_Barrier(MPI_COMM_WORLD);
}

/* ... or goes over another communicator. */
static void comms(void)
{
	MPI_Comm copy;

	MPI_Comm_dup(MPI_COMM_WORLD, &copy);
	MPI_Comm_set_name(copy, "the copy");
	if (me == 0)
		MPI_Send(large, 8, MPI_CHAR, 1, 7, MPI_COMM_WORLD);
	else if (me == 1)
		MPI_Recv(other, 8, MPI_CHAR, 0, 7, copy, MPI_STATUS_IGNORE);
	MPI_Barrier(copy);
	MPI_Comm_free(&copy);
}

static void comms_right(void)
{
	MPI_Comm half, copy;
	int n, sum = 0;

	for (int i = 0; i < 3; i++) {
		MPI_Comm_split(MPI_COMM_WORLD, me % 2, -me, &half);
		MPI_Comm_dup(half, &copy);
		MPI_Comm_size(copy, &n);
		MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_SUM, copy);
		MPI_Comm_rank(copy, &n);
		if (n == 0)
			MPI_Ssend(large, 8, MPI_CHAR, 1, i, copy);
		else if (n == 1)
			MPI_Recv(other, 8, MPI_CHAR, MPI_ANY_SOURCE, i, copy, MPI_STATUS_IGNORE);
		MPI_Comm_free(&copy);
		MPI_Comm_free(&half);
	}
}

/* A probe waits as a receive does. */
static void probe(void)
{
	MPI_Status s;

	MPI_Probe(left(), 1, MPI_COMM_WORLD, &s);
	MPI_Recv(other, 8, MPI_CHAR, left(), 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
	MPI_Send(large, 8, MPI_CHAR, right(), 1, MPI_COMM_WORLD);
}

static void probe_right(void)
{
	MPI_Message m;
	MPI_Status s;

	MPI_Send(large, 8, MPI_CHAR, right(), 1, MPI_COMM_WORLD);
	MPI_Probe(MPI_ANY_SOURCE, 1, MPI_COMM_WORLD, &s);
	MPI_Mprobe(s.MPI_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &m, MPI_STATUS_IGNORE);
	MPI_Mrecv(other, 8, MPI_CHAR, &m, MPI_STATUS_IGNORE);
}

/* ---- Sends ---- */

/* Synchronous sends head to head. */
static void ssend_ssend(void)
{
	MPI_Ssend(large, 8, MPI_CHAR, right(), 1, MPI_COMM_WORLD);
	MPI_Recv(other, 8, MPI_CHAR, left(), 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

static void ssend_ssend_right(void)
{
	for (int i = 0; i < 20; i++) {
		if (me % 2 == 0)
			MPI_Ssend(large, 8, MPI_CHAR, right(), 1, MPI_COMM_WORLD);
		MPI_Recv(other, 8, MPI_CHAR, left(), 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
		if (me % 2)
			MPI_Ssend(large, 8, MPI_CHAR, right(), 1, MPI_COMM_WORLD);
	}
}

/* Standard sends head to head, of more than any library keeps. */
static void send_send(void)
{
	MPI_Send(large, LARGE, MPI_CHAR, right(), 1, MPI_COMM_WORLD);
	MPI_Recv(other, LARGE, MPI_CHAR, left(), 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

static void send_send_right(void)
{
	for (int i = 0; i < 20; i++)
		MPI_Sendrecv(large, LARGE, MPI_CHAR, right(), 1, other, LARGE, MPI_CHAR, left(), 1,
			MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

/* ---- Requests ---- */

static void waitall(void)
{
	MPI_Request r[2];

	MPI_Irecv(other, 8, MPI_CHAR, left(), 1, MPI_COMM_WORLD, &r[0]);
	MPI_Irecv(other + 8, 8, MPI_CHAR, right(), 2, MPI_COMM_WORLD, &r[1]);
	MPI_Waitall(2, r, MPI_STATUSES_IGNORE);
	MPI_Send(large, 8, MPI_CHAR, right(), 1, MPI_COMM_WORLD);
	MPI_Send(large, 8, MPI_CHAR, left(), 2, MPI_COMM_WORLD);
}

static void waitall_right(void)
{
	MPI_Request r[4], again;
	int at, flag = 0;

	for (int i = 0; i < 20; i++) {
		MPI_Irecv(other, 8, MPI_CHAR, MPI_ANY_SOURCE, 1, MPI_COMM_WORLD, &r[0]);
		MPI_Irecv(other + 8, 8, MPI_CHAR, right(), MPI_ANY_TAG, MPI_COMM_WORLD, &r[1]);
		MPI_Isend(large, 8, MPI_CHAR, right(), 1, MPI_COMM_WORLD, &r[2]);
		MPI_Issend(large, 8, MPI_CHAR, left(), 2, MPI_COMM_WORLD, &r[3]);
		MPI_Waitany(4, r, &at, MPI_STATUS_IGNORE);
		MPI_Waitall(4, r, MPI_STATUSES_IGNORE);
		MPI_Barrier(MPI_COMM_WORLD);
	}
	MPI_Recv_init(other, 8, MPI_CHAR, left(), 3, MPI_COMM_WORLD, &again);
	for (int i = 0; i < 3; i++) {
		MPI_Start(&again);
		MPI_Send(large, 8, MPI_CHAR, right(), 3, MPI_COMM_WORLD);
		for (flag = 0; !flag;)
			MPI_Test(&again, &flag, MPI_STATUS_IGNORE);
	}
	MPI_Request_free(&again);
	MPI_Irecv(other, 8, MPI_CHAR, left(), 99, MPI_COMM_WORLD, &again);
	MPI_Cancel(&again);
	MPI_Wait(&again, MPI_STATUS_IGNORE);
}

/* One of several is enough, and none comes. */
static void waitany(void)
{
	MPI_Request r[2];
	int at;

	MPI_Irecv(other, 8, MPI_CHAR, left(), 1, MPI_COMM_WORLD, &r[0]);
	MPI_Irecv(other + 8, 8, MPI_CHAR, right(), 2, MPI_COMM_WORLD, &r[1]);
	MPI_Waitany(2, r, &at, MPI_STATUS_IGNORE);
}

static void waitany_right(void)
{
	MPI_Request r[2];
	int at;

	MPI_Irecv(other, 8, MPI_CHAR, left(), 1, MPI_COMM_WORLD, &r[0]);
	MPI_Irecv(other + 8, 8, MPI_CHAR, right(), 2, MPI_COMM_WORLD, &r[1]);
	MPI_Send(large, 8, MPI_CHAR, right(), 1, MPI_COMM_WORLD);
	MPI_Send(large, 8, MPI_CHAR, left(), 2, MPI_COMM_WORLD);
	MPI_Waitany(2, r, &at, MPI_STATUS_IGNORE);
	MPI_Waitany(2, r, &at, MPI_STATUS_IGNORE);
}

/* ---- Collective calls ---- */

/* One rank does not come: it waits for a message from one that waits for it. */
static void missing(void)
{
	if (me == 2)
		MPI_Recv(other, 8, MPI_CHAR, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
	MPI_Barrier(MPI_COMM_WORLD);
	if (me == 0)
		MPI_Send(large, 8, MPI_CHAR, 2, 1, MPI_COMM_WORLD);
}

static void missing_right(void)
{
	MPI_Request r;
	int sum;

	for (int i = 0; i < 20; i++) {
		MPI_Barrier(MPI_COMM_WORLD);
		MPI_Bcast(large, 8, MPI_CHAR, i % size, MPI_COMM_WORLD);
		MPI_Reduce(&me, &sum, 1, MPI_INT, MPI_SUM, i % size, MPI_COMM_WORLD);
		MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
		MPI_Ibarrier(MPI_COMM_WORLD, &r);
		MPI_Wait(&r, MPI_STATUS_IGNORE);
	}
}

/* One rank is done while the others still want it. */
static void finished(void)
{
	if (me != 1)
		MPI_Barrier(MPI_COMM_WORLD);
}

static void finished_right(void)
{
	MPI_Barrier(MPI_COMM_WORLD);
}

/* Two collective calls in two orders. */
static void order(void)
{
	int sum;

	if (me == 0) {
		MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
		MPI_Barrier(MPI_COMM_WORLD);
	} else {
		MPI_Barrier(MPI_COMM_WORLD);
		MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
	}
}

static void order_right(void)
{
	int sum;

	MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
	MPI_Barrier(MPI_COMM_WORLD);
}

/* ---- At the end ---- */

/* A message that nobody receives. */
static void unmatched(void)
{
	if (me == 0)
		MPI_Send(large, 8, MPI_CHAR, 1, 7, MPI_COMM_WORLD);
	MPI_Barrier(MPI_COMM_WORLD);
}

static void unmatched_right(void)
{
	if (me == 0)
		MPI_Send(large, 8, MPI_CHAR, 1, 7, MPI_COMM_WORLD);
	if (me == 1)
		MPI_Recv(other, 8, MPI_CHAR, 0, 7, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
	MPI_Barrier(MPI_COMM_WORLD);
}

/* The same, to the last rank, which may be on another host. */
static void unmatched_far(void)
{
	if (me == 0)
		MPI_Send(large, 8, MPI_CHAR, size - 1, 7, MPI_COMM_WORLD);
	MPI_Barrier(MPI_COMM_WORLD);
}

/* As fast as it goes, for what recording costs: round trips between pairs. */
static void ping_pong(void)
{
	for (int i = 0; i < 200000; i++) {
		if (me % 2 == 0)
			MPI_Send(large, 8, MPI_CHAR, me + 1, 1, MPI_COMM_WORLD);
		MPI_Recv(other, 8, MPI_CHAR, me % 2 ? me - 1 : me + 1, 1, MPI_COMM_WORLD,
			MPI_STATUS_IGNORE);
		if (me % 2)
			MPI_Send(large, 8, MPI_CHAR, me - 1, 1, MPI_COMM_WORLD);
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {{"recv-recv", recv_recv}, {"recv-recv-right", recv_recv_right}, {"wildcard", wildcard},
	{"wildcard-right", wildcard_right}, {"tags", tags}, {"tags-right", tags_right},
	{"comms", comms}, {"comms-right", comms_right}, {"probe", probe},
	{"probe-right", probe_right}, {"ssend-ssend", ssend_ssend},
	{"ssend-ssend-right", ssend_ssend_right}, {"send-send", send_send},
	{"send-send-right", send_send_right}, {"waitall", waitall},
	{"waitall-right", waitall_right}, {"waitany", waitany}, {"waitany-right", waitany_right},
	{"missing", missing}, {"missing-right", missing_right}, {"finished", finished},
	{"finished-right", finished_right}, {"order", order}, {"order-right", order_right},
	{"unmatched", unmatched}, {"unmatched-right", unmatched_right},
	{"unmatched-far", unmatched_far}, {"ping-pong", ping_pong}};

int main(int argc, char **argv)
{
	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &me);
	MPI_Comm_size(MPI_COMM_WORLD, &size);
	for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof *cases; i++)
		if (!strcmp(argv[1], cases[i].name))
			cases[i].run();
	MPI_Finalize();
	if (me == 0)
		puts("done");
	return 0;
}
