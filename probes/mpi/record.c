/* record.c - records of what MPI does, through the preload library. */
/* SPDX-License-Identifier: MIT */
#include "probes/mpi/mpi.h"

#include <errno.h>
#include <string.h>

/* Of the preload library: absent where somebody took that out of LD_PRELOAD. */
extern void pptrace_record(struct rec_head *rec, unsigned kind, size_t size) __attribute__((weak));

static void send(struct rec_head *rec, unsigned kind, size_t size)
{
	int keep = errno;

	if (pptrace_record)
		pptrace_record(rec, kind, size);
	errno = keep;
}

#define SEND(NAME, r) send(&(r)->head, REC_##NAME, sizeof *(r))
#define SIGNED(n) ((rec_u64)(int64_t)(n))

void record_rank(int rank, int size, bool ends, const char *job)
{
	struct rec_MPI_RANK r;

	memset(&r, 0, sizeof r);
	r.rank = SIGNED(rank);
	r.size = SIGNED(size);
	r.ends = ends;
	strncpy(r.job, job, sizeof r.job - 1);
	SEND(MPI_RANK, &r);
}

static void record_members(const int *ranks, int n)
{
	struct rec_MPI_MEMBERS r;
	const int most = (int)(sizeof r.ranks / sizeof *ranks);

	for (int i = 0; i < n; i += most) {
		int now = n - i < most ? n - i : most;

		memset(&r, 0, sizeof r);
		r.n = (rec_u64)now;
		memcpy(r.ranks, ranks + i, (size_t)now * sizeof *ranks);
		SEND(MPI_MEMBERS, &r);
	}
}

void record_comm(uint64_t comm, int size, const int *ranks, const char *name)
{
	struct rec_MPI_COMM r;

	if (ranks)
		record_members(ranks, size);
	memset(&r, 0, sizeof r);
	r.comm = comm;
	r.size = SIGNED(size);
	strncpy(r.name, name, sizeof r.name - 1);
	SEND(MPI_COMM, &r);
}

void record_need(const struct need *n)
{
	struct rec_MPI_NEED r;

	memset(&r, 0, sizeof r);
	r.role = n->role;
	r.comm = n->comm;
	r.peer = SIGNED(n->peer);
	r.tag = SIGNED(n->tag);
	r.seq = SIGNED(n->seq);
	r.op = n->op;
	SEND(MPI_NEED, &r);
}

void record_begin(const struct call *c)
{
	struct rec_MPI_BEGIN r;

	memset(&r, 0, sizeof r);
	r.op = c->op;
	r.role = c->need.role;
	r.comm = c->need.comm;
	r.peer = SIGNED(c->need.peer);
	r.tag = SIGNED(c->need.tag);
	r.seq = SIGNED(c->need.seq);
	r.any = c->any;
	r.site = c->site;
	r.of = c->need.op == c->op ? 0 : c->need.op;
	SEND(MPI_BEGIN, &r);
}

void record_end(const struct call *c, int result)
{
	struct rec_MPI_END r;

	memset(&r, 0, sizeof r);
	r.op = c->op;
	r.result = SIGNED(result);
	SEND(MPI_END, &r);
}

void record_message(unsigned event, uint64_t comm, int64_t peer, int64_t tag, uint64_t site)
{
	struct rec_MPI_MESSAGE r;

	memset(&r, 0, sizeof r);
	r.event = event;
	r.comm = comm;
	r.peer = SIGNED(peer);
	r.tag = SIGNED(tag);
	r.site = site;
	SEND(MPI_MESSAGE, &r);
}

void record_entered(uint64_t comm, unsigned op, int64_t seq, uint64_t site)
{
	struct rec_MPI_MESSAGE r;

	memset(&r, 0, sizeof r);
	r.event = MPI_ENTERED;
	r.comm = comm;
	r.tag = op;
	r.seq = SIGNED(seq);
	r.site = site;
	SEND(MPI_MESSAGE, &r);
}
