/* message.c - sends, receives and probes, and the same without waiting. */
/* SPDX-License-Identifier: MIT */
/*
 * A message counts as sent before the call that sends it, and as received after the call that received it has been recorded as
 * over: whoever looks in between takes it for one that is under way, never for one that does not come.
 */
#include "probes/mpi/mpi.h"

#define SEND_TYPES (const void *, int, handle, int, int, handle)

/* What a send or receive needs. False: its other side is nobody. */
static bool need_of(struct need *n, unsigned role, const struct comm *c, int peer, int tag)
{
	*n = (struct need){.role = role, .comm = comm_key(c), .tag = tag};
	return comm_rank(c, peer, &n->peer);
}

/* The call of a send or receive: with nobody, or where nothing is known of the communicator, it needs nothing. */
static struct call call_of(
	unsigned op, unsigned role, const struct comm *c, int peer, int tag, uint64_t site)
{
	struct call call = {.op = op, .site = site};

	if (!need_of(&call.need, role, c, peer, tag))
		call.need = (struct need){
			.role = c ? MPI_ROLE_NONE : MPI_ROLE_UNKNOWN, .peer = MPI_ANY, .tag = tag};
	call.need.op = op;
	return call;
}

static bool has_peer(const struct call *c)
{
	return c->need.role != MPI_ROLE_NONE && c->need.role != MPI_ROLE_UNKNOWN;
}

static void sent(const struct call *c)
{
	if (has_peer(c))
		record_message(MPI_SENT, c->need.comm, c->need.peer, c->need.tag, c->site);
}

/* ---- Sends ---- */

#define SENDS(NAME, name, needs)                                                                   \
	MPI_WRAPPER MPI_##name(                                                                    \
		const void *buf, int n, handle type, int peer, int tag, handle comm);              \
	MPI_WRAPPER MPI_##name(                                                                    \
		const void *buf, int n, handle type, int peer, int tag, handle comm)               \
	{                                                                                          \
		struct call c =                                                                    \
			call_of(MPI_OP_##NAME, MPI_ROLE_##needs, comm_of(comm), peer, tag, PLACE); \
		int rc;                                                                            \
                                                                                                   \
		sent(&c);                                                                          \
		record_begin(&c);                                                                  \
		rc = PMPI(#name, SEND_TYPES, buf, n, type, peer, tag, comm);                       \
		record_end(&c, rc);                                                                \
		return rc;                                                                         \
	}

SENDS(SEND, Send, SEND)
SENDS(SSEND, Ssend, SSEND)
SENDS(BSEND, Bsend, SEND)
SENDS(RSEND, Rsend, SEND)

/* Remembers a request; what was begun without waiting is recorded as a call that needs nothing. */
static void begun(const struct call *c, const struct comm *of, const void *request, unsigned flags)
{
	request_add(&(struct request){.handle = abi_request(request, 0),
		.need = c->need,
		.site = c->site,
		.flags = flags,
		.of = (struct comm *)of});
}

static struct call without_waiting(const struct call *c)
{
	struct call now = *c;

	now.need.role = MPI_ROLE_NONE;
	return now;
}

#define STARTS_SEND(NAME, name, needs)                                                             \
	MPI_WRAPPER MPI_##name(const void *buf, int n, handle type, int peer, int tag,             \
		handle comm, handle *request);                                                     \
	MPI_WRAPPER MPI_##name(const void *buf, int n, handle type, int peer, int tag,             \
		handle comm, handle *request)                                                      \
	{                                                                                          \
		struct comm *of = comm_of(comm);                                                   \
		struct call c = call_of(MPI_OP_##NAME, MPI_ROLE_##needs, of, peer, tag, PLACE);    \
		struct call now = without_waiting(&c);                                             \
		int rc;                                                                            \
                                                                                                   \
		sent(&c);                                                                          \
		record_begin(&now);                                                                \
		rc = PMPI(#name, (const void *, int, handle, int, int, handle, handle *), buf, n,  \
			type, peer, tag, comm, request);                                           \
		record_end(&now, rc);                                                              \
		if (rc == MPI_OK && has_peer(&c))                                                  \
			begun(&c, of, request, REQUEST_ACTIVE);                                    \
		return rc;                                                                         \
	}

STARTS_SEND(ISEND, Isend, SEND)
STARTS_SEND(ISSEND, Issend, SSEND)
STARTS_SEND(IBSEND, Ibsend, SEND)
STARTS_SEND(IRSEND, Irsend, SEND)

#define PREPARES_SEND(NAME, name, needs)                                                           \
	MPI_WRAPPER MPI_##name(const void *buf, int n, handle type, int peer, int tag,             \
		handle comm, handle *request);                                                     \
	MPI_WRAPPER MPI_##name(const void *buf, int n, handle type, int peer, int tag,             \
		handle comm, handle *request)                                                      \
	{                                                                                          \
		struct comm *of = comm_of(comm);                                                   \
		struct call c = call_of(MPI_OP_##NAME, MPI_ROLE_##needs, of, peer, tag, PLACE);    \
		int rc = PMPI(#name, (const void *, int, handle, int, int, handle, handle *), buf, \
			n, type, peer, tag, comm, request);                                        \
                                                                                                   \
		if (rc == MPI_OK && has_peer(&c))                                                  \
			begun(&c, of, request, REQUEST_PERSISTENT);                                \
		return rc;                                                                         \
	}

PREPARES_SEND(SEND, Send_init, SEND)
PREPARES_SEND(SSEND, Ssend_init, SSEND)
PREPARES_SEND(BSEND, Bsend_init, SEND)
PREPARES_SEND(RSEND, Rsend_init, SEND)

/* ---- Receives ---- */

/* Room for a status of whatever library. */
union status {
	char bytes[64];
	uint64_t aligned;
};

/* A status of our own where the program wants none. */
static void *status_or(void *status, union status *own)
{
	return (uintptr_t)status == abi()->status_ignore ? own : status;
}

/* A message was received: from whom, the status says. */
static void received(const struct call *c, const struct comm *of, const void *status)
{
	int64_t peer;

	if (has_peer(c) && comm_rank(of, abi_source(status), &peer))
		record_message(MPI_RECEIVED, c->need.comm, peer, abi_tag(status), c->site);
}

MPI_WRAPPER MPI_Recv(void *buf, int n, handle type, int peer, int tag, handle comm, void *status);
MPI_WRAPPER MPI_Recv(void *buf, int n, handle type, int peer, int tag, handle comm, void *status)
{
	struct comm *of = comm_of(comm);
	struct call c = call_of(MPI_OP_RECV, MPI_ROLE_RECV, of, peer, tag, PLACE);
	union status own;
	int rc;

	record_begin(&c);
	status = status_or(status, &own);
	rc = PMPI("Recv", (void *, int, handle, int, int, handle, void *), buf, n, type, peer, tag,
		comm, status);
	record_end(&c, rc);
	if (rc == MPI_OK)
		received(&c, of, status);
	return rc;
}

MPI_WRAPPER MPI_Irecv(
	void *buf, int n, handle type, int peer, int tag, handle comm, handle *request);
MPI_WRAPPER MPI_Irecv(
	void *buf, int n, handle type, int peer, int tag, handle comm, handle *request)
{
	struct comm *of = comm_of(comm);
	struct call c = call_of(MPI_OP_IRECV, MPI_ROLE_RECV, of, peer, tag, PLACE);
	struct call now = without_waiting(&c);
	int rc;

	if (has_peer(&c))
		record_message(MPI_POSTED, c.need.comm, c.need.peer, c.need.tag, c.site);
	record_begin(&now);
	rc = PMPI("Irecv", (void *, int, handle, int, int, handle, handle *), buf, n, type, peer,
		tag, comm, request);
	record_end(&now, rc);
	if (rc == MPI_OK && has_peer(&c))
		begun(&c, of, request, REQUEST_ACTIVE);
	return rc;
}

MPI_WRAPPER MPI_Recv_init(
	void *buf, int n, handle type, int peer, int tag, handle comm, handle *request);
MPI_WRAPPER MPI_Recv_init(
	void *buf, int n, handle type, int peer, int tag, handle comm, handle *request)
{
	struct comm *of = comm_of(comm);
	struct call c = call_of(MPI_OP_RECV, MPI_ROLE_RECV, of, peer, tag, PLACE);
	int rc = PMPI("Recv_init", (void *, int, handle, int, int, handle, handle *), buf, n, type,
		peer, tag, comm, request);

	if (rc == MPI_OK && has_peer(&c))
		begun(&c, of, request, REQUEST_PERSISTENT);
	return rc;
}

/* ---- Both at once ---- */

/* A call that sends and receives needs both. */
struct both {
	struct comm *of;
	struct call receive, send;
};

static struct both both_of(
	unsigned op, handle comm, int to, int send_tag, int from, int recv_tag, uint64_t site)
{
	struct comm *of = comm_of(comm);
	struct both b = {.of = of,
		.receive = call_of(op, MPI_ROLE_RECV, of, from, recv_tag, site),
		.send = call_of(op, MPI_ROLE_SEND, of, to, send_tag, site)};

	sent(&b.send);
	if (has_peer(&b.send)) {
		if (!has_peer(&b.receive))
			b.receive.need = b.send.need;
		else
			record_need(&b.send.need);
	}
	record_begin(&b.receive);
	return b;
}

static int both_done(const struct both *b, int rc, const void *status)
{
	record_end(&b->receive, rc);
	if (rc == MPI_OK && b->receive.need.role == MPI_ROLE_RECV)
		received(&b->receive, b->of, status);
	return rc;
}

MPI_WRAPPER MPI_Sendrecv(const void *out, int n_out, handle out_type, int to, int send_tag,
	void *in, int n_in, handle in_type, int from, int recv_tag, handle comm, void *status);
MPI_WRAPPER MPI_Sendrecv(const void *out, int n_out, handle out_type, int to, int send_tag,
	void *in, int n_in, handle in_type, int from, int recv_tag, handle comm, void *status)
{
	struct both b = both_of(MPI_OP_SENDRECV, comm, to, send_tag, from, recv_tag, PLACE);
	union status own;

	status = status_or(status, &own);
	return both_done(&b,
		PMPI("Sendrecv",
			(const void *, int, handle, int, int, void *, int, handle, int, int, handle,
				void *),
			out, n_out, out_type, to, send_tag, in, n_in, in_type, from, recv_tag, comm,
			status),
		status);
}

MPI_WRAPPER MPI_Sendrecv_replace(void *buf, int n, handle type, int to, int send_tag, int from,
	int recv_tag, handle comm, void *status);
MPI_WRAPPER MPI_Sendrecv_replace(void *buf, int n, handle type, int to, int send_tag, int from,
	int recv_tag, handle comm, void *status)
{
	struct both b = both_of(MPI_OP_SENDRECV_REPLACE, comm, to, send_tag, from, recv_tag, PLACE);
	union status own;

	status = status_or(status, &own);
	return both_done(&b,
		PMPI("Sendrecv_replace", (void *, int, handle, int, int, int, int, handle, void *),
			buf, n, type, to, send_tag, from, recv_tag, comm, status),
		status);
}

/* ---- Probes ---- */

MPI_WRAPPER MPI_Probe(int peer, int tag, handle comm, void *status);
MPI_WRAPPER MPI_Probe(int peer, int tag, handle comm, void *status)
{
	struct call c = call_of(MPI_OP_PROBE, MPI_ROLE_RECV, comm_of(comm), peer, tag, PLACE);
	int rc;

	record_begin(&c);
	rc = PMPI("Probe", (int, int, handle, void *), peer, tag, comm, status);
	record_end(&c, rc);
	return rc;
}

/* The message is taken out of the queue by the probe: Mrecv fetches it. */
MPI_WRAPPER MPI_Mprobe(int peer, int tag, handle comm, handle *message, void *status);
MPI_WRAPPER MPI_Mprobe(int peer, int tag, handle comm, handle *message, void *status)
{
	struct comm *of = comm_of(comm);
	struct call c = call_of(MPI_OP_MPROBE, MPI_ROLE_RECV, of, peer, tag, PLACE);
	union status own;
	int rc;

	record_begin(&c);
	status = status_or(status, &own);
	rc = PMPI("Mprobe", (int, int, handle, handle *, void *), peer, tag, comm, message, status);
	record_end(&c, rc);
	if (rc == MPI_OK)
		received(&c, of, status);
	return rc;
}

MPI_WRAPPER MPI_Improbe(int peer, int tag, handle comm, int *flag, handle *message, void *status);
MPI_WRAPPER MPI_Improbe(int peer, int tag, handle comm, int *flag, handle *message, void *status)
{
	struct comm *of = comm_of(comm);
	struct call c = call_of(MPI_OP_MPROBE, MPI_ROLE_RECV, of, peer, tag, PLACE);
	union status own;
	int rc;

	status = status_or(status, &own);
	rc = PMPI("Improbe", (int, int, handle, int *, handle *, void *), peer, tag, comm, flag,
		message, status);
	if (rc == MPI_OK && *flag)
		received(&c, of, status);
	return rc;
}
