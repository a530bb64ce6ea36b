/* collective.c - calls that all members of a communicator make. */
/* SPDX-License-Identifier: MIT */
#include "probes/mpi/mpi.h"

/*
 * What a rank needs. To the root of a broadcast, and to those who only give, the library may return before anybody else
 * has come. Where nothing is passed on, it may to anybody, but from a barrier.
 */
static unsigned all_or_free(bool something)
{
	return something ? MPI_ROLE_ALL : MPI_ROLE_FREE;
}

/* A collective call begins. root: a rank, or MPI_ANY where there is none. */
static struct call enter(unsigned op, unsigned role, struct comm *of, int root, uint64_t site)
{
	struct call c = {.op = op,
		.site = site,
		.need = {.role = of ? role : MPI_ROLE_UNKNOWN,
			.op = op,
			.comm = comm_key(of),
			.peer = MPI_ANY,
			.tag = MPI_ANY}};

	if (!of)
		return c;
	c.need.seq = comm_enter(of);
	if (root != MPI_ANY)
		(void)comm_rank(of, root, &c.need.peer);
	return c;
}

/* The whole of a wrapper: what it needs is said in terms of `of`, the communicator. */
#define COLLECTIVE(NAME, name, needs, root, types, ...)                                            \
	struct comm *of = comm_of(comm);                                                           \
	struct call c = enter(MPI_OP_##NAME, needs, of, root, PLACE);                              \
	int rc;                                                                                    \
                                                                                                   \
	record_begin(&c);                                                                          \
	rc = PMPI(name, types, __VA_ARGS__);                                                       \
	record_end(&c, rc);                                                                        \
	return rc

/* Who gives needs nobody; the root that takes needs all. */
#define TAKES (comm_is_me(of, root) ? MPI_ROLE_ALL : MPI_ROLE_FREE)
/* Who takes needs the root; that needs nobody. */
#define GIVES (comm_is_me(of, root) ? MPI_ROLE_FREE : MPI_ROLE_ROOT)

MPI_WRAPPER MPI_Barrier(handle comm);
MPI_WRAPPER MPI_Barrier(handle comm)
{
	COLLECTIVE(BARRIER, "Barrier", MPI_ROLE_ALL, MPI_ANY, (handle), comm);
}

MPI_WRAPPER MPI_Bcast(void *buf, int n, handle type, int root, handle comm);
MPI_WRAPPER MPI_Bcast(void *buf, int n, handle type, int root, handle comm)
{
	COLLECTIVE(BCAST, "Bcast", n > 0 ? GIVES : MPI_ROLE_FREE, root,
		(void *, int, handle, int, handle), buf, n, type, root, comm);
}

MPI_WRAPPER MPI_Gather(const void *out, int n_out, handle out_type, void *in, int n_in,
	handle in_type, int root, handle comm);
MPI_WRAPPER MPI_Gather(const void *out, int n_out, handle out_type, void *in, int n_in,
	handle in_type, int root, handle comm)
{
	COLLECTIVE(GATHER, "Gather", n_in > 0 ? TAKES : MPI_ROLE_FREE, root,
		(const void *, int, handle, void *, int, handle, int, handle), out, n_out, out_type,
		in, n_in, in_type, root, comm);
}

MPI_WRAPPER MPI_Gatherv(const void *out, int n_out, handle out_type, void *in, const int *n_in,
	const int *at, handle in_type, int root, handle comm);
MPI_WRAPPER MPI_Gatherv(const void *out, int n_out, handle out_type, void *in, const int *n_in,
	const int *at, handle in_type, int root, handle comm)
{
	COLLECTIVE(GATHERV, "Gatherv", MPI_ROLE_FREE, root,
		(const void *, int, handle, void *, const int *, const int *, handle, int, handle),
		out, n_out, out_type, in, n_in, at, in_type, root, comm);
}

MPI_WRAPPER MPI_Scatter(const void *out, int n_out, handle out_type, void *in, int n_in,
	handle in_type, int root, handle comm);
MPI_WRAPPER MPI_Scatter(const void *out, int n_out, handle out_type, void *in, int n_in,
	handle in_type, int root, handle comm)
{
	COLLECTIVE(SCATTER, "Scatter", n_in > 0 ? GIVES : MPI_ROLE_FREE, root,
		(const void *, int, handle, void *, int, handle, int, handle), out, n_out, out_type,
		in, n_in, in_type, root, comm);
}

MPI_WRAPPER MPI_Scatterv(const void *out, const int *n_out, const int *at, handle out_type,
	void *in, int n_in, handle in_type, int root, handle comm);
MPI_WRAPPER MPI_Scatterv(const void *out, const int *n_out, const int *at, handle out_type,
	void *in, int n_in, handle in_type, int root, handle comm)
{
	COLLECTIVE(SCATTERV, "Scatterv", n_in > 0 ? GIVES : MPI_ROLE_FREE, root,
		(const void *, const int *, const int *, handle, void *, int, handle, int, handle),
		out, n_out, at, out_type, in, n_in, in_type, root, comm);
}

MPI_WRAPPER MPI_Allgather(const void *out, int n_out, handle out_type, void *in, int n_in,
	handle in_type, handle comm);
MPI_WRAPPER MPI_Allgather(const void *out, int n_out, handle out_type, void *in, int n_in,
	handle in_type, handle comm)
{
	COLLECTIVE(ALLGATHER, "Allgather", all_or_free(n_in > 0), MPI_ANY,
		(const void *, int, handle, void *, int, handle, handle), out, n_out, out_type, in,
		n_in, in_type, comm);
}

MPI_WRAPPER MPI_Allgatherv(const void *out, int n_out, handle out_type, void *in, const int *n_in,
	const int *at, handle in_type, handle comm);
MPI_WRAPPER MPI_Allgatherv(const void *out, int n_out, handle out_type, void *in, const int *n_in,
	const int *at, handle in_type, handle comm)
{
	COLLECTIVE(ALLGATHERV, "Allgatherv", MPI_ROLE_FREE, MPI_ANY,
		(const void *, int, handle, void *, const int *, const int *, handle, handle), out,
		n_out, out_type, in, n_in, at, in_type, comm);
}

MPI_WRAPPER MPI_Alltoall(const void *out, int n_out, handle out_type, void *in, int n_in,
	handle in_type, handle comm);
MPI_WRAPPER MPI_Alltoall(const void *out, int n_out, handle out_type, void *in, int n_in,
	handle in_type, handle comm)
{
	COLLECTIVE(ALLTOALL, "Alltoall", all_or_free(n_in > 0), MPI_ANY,
		(const void *, int, handle, void *, int, handle, handle), out, n_out, out_type, in,
		n_in, in_type, comm);
}

MPI_WRAPPER MPI_Alltoallv(const void *out, const int *n_out, const int *out_at, handle out_type,
	void *in, const int *n_in, const int *in_at, handle in_type, handle comm);
MPI_WRAPPER MPI_Alltoallv(const void *out, const int *n_out, const int *out_at, handle out_type,
	void *in, const int *n_in, const int *in_at, handle in_type, handle comm)
{
	COLLECTIVE(ALLTOALLV, "Alltoallv", MPI_ROLE_FREE, MPI_ANY,
		(const void *, const int *, const int *, handle, void *, const int *, const int *,
			handle, handle),
		out, n_out, out_at, out_type, in, n_in, in_at, in_type, comm);
}

MPI_WRAPPER MPI_Alltoallw(const void *out, const int *n_out, const int *out_at,
	const void *out_types, void *in, const int *n_in, const int *in_at, const void *in_types,
	handle comm);
MPI_WRAPPER MPI_Alltoallw(const void *out, const int *n_out, const int *out_at,
	const void *out_types, void *in, const int *n_in, const int *in_at, const void *in_types,
	handle comm)
{
	COLLECTIVE(ALLTOALLW, "Alltoallw", MPI_ROLE_FREE, MPI_ANY,
		(const void *, const int *, const int *, const void *, void *, const int *,
			const int *, const void *, handle),
		out, n_out, out_at, out_types, in, n_in, in_at, in_types, comm);
}

MPI_WRAPPER MPI_Reduce(
	const void *out, void *in, int n, handle type, handle op, int root, handle comm);
MPI_WRAPPER MPI_Reduce(
	const void *out, void *in, int n, handle type, handle op, int root, handle comm)
{
	COLLECTIVE(REDUCE, "Reduce", n > 0 ? TAKES : MPI_ROLE_FREE, root,
		(const void *, void *, int, handle, handle, int, handle), out, in, n, type, op,
		root, comm);
}

#define REDUCES_TYPES (const void *, void *, int, handle, handle, handle)

MPI_WRAPPER MPI_Allreduce(const void *out, void *in, int n, handle type, handle op, handle comm);
MPI_WRAPPER MPI_Allreduce(const void *out, void *in, int n, handle type, handle op, handle comm)
{
	COLLECTIVE(ALLREDUCE, "Allreduce", all_or_free(n > 0), MPI_ANY, REDUCES_TYPES, out, in, n,
		type, op, comm);
}

MPI_WRAPPER MPI_Scan(const void *out, void *in, int n, handle type, handle op, handle comm);
MPI_WRAPPER MPI_Scan(const void *out, void *in, int n, handle type, handle op, handle comm)
{
	COLLECTIVE(SCAN, "Scan", MPI_ROLE_FREE, MPI_ANY, REDUCES_TYPES, out, in, n, type, op, comm);
}

MPI_WRAPPER MPI_Exscan(const void *out, void *in, int n, handle type, handle op, handle comm);
MPI_WRAPPER MPI_Exscan(const void *out, void *in, int n, handle type, handle op, handle comm)
{
	COLLECTIVE(EXSCAN, "Exscan", MPI_ROLE_FREE, MPI_ANY, REDUCES_TYPES, out, in, n, type, op,
		comm);
}

MPI_WRAPPER MPI_Reduce_scatter_block(
	const void *out, void *in, int n, handle type, handle op, handle comm);
MPI_WRAPPER MPI_Reduce_scatter_block(
	const void *out, void *in, int n, handle type, handle op, handle comm)
{
	COLLECTIVE(REDUCE_SCATTER_BLOCK, "Reduce_scatter_block", all_or_free(n > 0), MPI_ANY,
		REDUCES_TYPES, out, in, n, type, op, comm);
}

MPI_WRAPPER MPI_Reduce_scatter(
	const void *out, void *in, const int *n, handle type, handle op, handle comm);
MPI_WRAPPER MPI_Reduce_scatter(
	const void *out, void *in, const int *n, handle type, handle op, handle comm)
{
	COLLECTIVE(REDUCE_SCATTER, "Reduce_scatter", MPI_ROLE_FREE, MPI_ANY,
		(const void *, void *, const int *, handle, handle, handle), out, in, n, type, op,
		comm);
}

/* ---- Without waiting ---- */

/* The same, which a request stands for from then on. */
#define STARTS_COLLECTIVE(NAME, name, needs, root, types, ...)                                     \
	struct comm *of = comm_of(comm);                                                           \
	struct call c = enter(MPI_OP_##NAME, needs, of, root, PLACE), now = c;                     \
	int rc;                                                                                    \
                                                                                                   \
	now.need.role = MPI_ROLE_NONE;                                                             \
	if (of)                                                                                    \
		record_entered(c.need.comm, c.op, c.need.seq, c.site);                             \
	record_begin(&now);                                                                        \
	rc = PMPI(name, types, __VA_ARGS__);                                                       \
	record_end(&now, rc);                                                                      \
	if (rc == MPI_OK && of)                                                                    \
		request_add(&(struct request){.handle = abi_request(request, 0),                   \
			.need = c.need,                                                            \
			.site = c.site,                                                            \
			.flags = REQUEST_ACTIVE,                                                   \
			.of = of});                                                                \
	return rc

MPI_WRAPPER MPI_Ibarrier(handle comm, handle *request);
MPI_WRAPPER MPI_Ibarrier(handle comm, handle *request)
{
	STARTS_COLLECTIVE(
		IBARRIER, "Ibarrier", MPI_ROLE_ALL, MPI_ANY, (handle, handle *), comm, request);
}

MPI_WRAPPER MPI_Ibcast(void *buf, int n, handle type, int root, handle comm, handle *request);
MPI_WRAPPER MPI_Ibcast(void *buf, int n, handle type, int root, handle comm, handle *request)
{
	STARTS_COLLECTIVE(IBCAST, "Ibcast", n > 0 ? GIVES : MPI_ROLE_FREE, root,
		(void *, int, handle, int, handle, handle *), buf, n, type, root, comm, request);
}

MPI_WRAPPER MPI_Ireduce(const void *out, void *in, int n, handle type, handle op, int root,
	handle comm, handle *request);
MPI_WRAPPER MPI_Ireduce(const void *out, void *in, int n, handle type, handle op, int root,
	handle comm, handle *request)
{
	STARTS_COLLECTIVE(IREDUCE, "Ireduce", n > 0 ? TAKES : MPI_ROLE_FREE, root,
		(const void *, void *, int, handle, handle, int, handle, handle *), out, in, n,
		type, op, root, comm, request);
}

MPI_WRAPPER MPI_Iallreduce(
	const void *out, void *in, int n, handle type, handle op, handle comm, handle *request);
MPI_WRAPPER MPI_Iallreduce(
	const void *out, void *in, int n, handle type, handle op, handle comm, handle *request)
{
	STARTS_COLLECTIVE(IALLREDUCE, "Iallreduce", all_or_free(n > 0), MPI_ANY,
		(const void *, void *, int, handle, handle, handle, handle *), out, in, n, type, op,
		comm, request);
}

MPI_WRAPPER MPI_Igather(const void *out, int n_out, handle out_type, void *in, int n_in,
	handle in_type, int root, handle comm, handle *request);
MPI_WRAPPER MPI_Igather(const void *out, int n_out, handle out_type, void *in, int n_in,
	handle in_type, int root, handle comm, handle *request)
{
	STARTS_COLLECTIVE(IGATHER, "Igather", n_in > 0 ? TAKES : MPI_ROLE_FREE, root,
		(const void *, int, handle, void *, int, handle, int, handle, handle *), out, n_out,
		out_type, in, n_in, in_type, root, comm, request);
}

MPI_WRAPPER MPI_Iscatter(const void *out, int n_out, handle out_type, void *in, int n_in,
	handle in_type, int root, handle comm, handle *request);
MPI_WRAPPER MPI_Iscatter(const void *out, int n_out, handle out_type, void *in, int n_in,
	handle in_type, int root, handle comm, handle *request)
{
	STARTS_COLLECTIVE(ISCATTER, "Iscatter", n_in > 0 ? GIVES : MPI_ROLE_FREE, root,
		(const void *, int, handle, void *, int, handle, int, handle, handle *), out, n_out,
		out_type, in, n_in, in_type, root, comm, request);
}

MPI_WRAPPER MPI_Iallgather(const void *out, int n_out, handle out_type, void *in, int n_in,
	handle in_type, handle comm, handle *request);
MPI_WRAPPER MPI_Iallgather(const void *out, int n_out, handle out_type, void *in, int n_in,
	handle in_type, handle comm, handle *request)
{
	STARTS_COLLECTIVE(IALLGATHER, "Iallgather", all_or_free(n_in > 0), MPI_ANY,
		(const void *, int, handle, void *, int, handle, handle, handle *), out, n_out,
		out_type, in, n_in, in_type, comm, request);
}

MPI_WRAPPER MPI_Ialltoall(const void *out, int n_out, handle out_type, void *in, int n_in,
	handle in_type, handle comm, handle *request);
MPI_WRAPPER MPI_Ialltoall(const void *out, int n_out, handle out_type, void *in, int n_in,
	handle in_type, handle comm, handle *request)
{
	STARTS_COLLECTIVE(IALLTOALL, "Ialltoall", all_or_free(n_in > 0), MPI_ANY,
		(const void *, int, handle, void *, int, handle, handle, handle *), out, n_out,
		out_type, in, n_in, in_type, comm, request);
}
