/* mpi.c - ranks of MPI jobs: their communicators, messages, and what the call needs that a thread is in. */
/* SPDX-License-Identifier: MIT */
/*
 * Messages are counted, not kept: how many each rank has sent to which, received from which, by communicator and tag.
 * What one has sent and the other has not received is under way or waits to be received; whoever receives waits for nobody
 * then. Each rank counts for itself, so that the counts of several hosts can be put together.
 */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/names.h"

#include <inttypes.h>

/* Programs that take a new tag for each message: beyond that a rank is not counted, and never found stuck. */
enum { TRAFFIC_MAX = 1 << 17, MEMBERS_MAX = 1 << 16 };

struct mpi_comm {
	int64_t id;
	char *name;
};

/* Messages with one peer, one tag, in one communicator. */
struct traffic {
	struct traffic *dirty_next;
	bool dirty;
	struct row_mpi_traffic row;
};

/* How far the rank has come in the collective calls on a communicator. */
struct member {
	bool dirty;
	struct row_mpi_member row;
};

struct mpi_rank {
	struct hash traffic, members;
	struct traffic *dirty;
};

/* ---- Communicators ---- */

int64_t model_mpi_comm_id(const struct model *m, uint64_t key)
{
	const struct mpi_comm *c = key ? hash_get(&m->mpi_comms, key) : NULL;

	return c ? c->id : 0;
}

static const char *comm_name(const struct model *m, uint64_t key)
{
	const struct mpi_comm *c = key ? hash_get(&m->mpi_comms, key) : NULL;

	return c && c->name && *c->name ? c->name : "a communicator without a name";
}

/* The ranks as a JSON array; NULL: all of the job, or none were told. */
static char *members_of(struct thread *t, uint64_t size)
{
	struct mpi_call *c = t->mpi;
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t n = c ? c->members.len / sizeof(int32_t) : 0;

	if (!n || n != size)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		int32_t rank;

		memcpy(&rank, c->members.data + i * sizeof rank, sizeof rank);
		buf_addf(&b, "%s%" PRId32, i ? "," : "[", rank);
	}
	buf_addc(&b, ']');
	return buf_steal(&b);
}

void model_mpi_comm_told(struct model *m, struct thread *t, const struct rec_MPI_COMM *rec)
{
	struct mpi_comm *c = rec->comm ? hash_get(&m->mpi_comms, rec->comm) : NULL;
	_cleanup_free_ char *members = members_of(t, rec->size);
	size_t len = strnlen(rec->name, sizeof rec->name);

	if (t->mpi)
		buf_reset(&t->mpi->members);
	if (!rec->comm || rec->comm > INT64_MAX || !rec->size || rec->size > INT32_MAX) {
		model_skip(m);
		return;
	}
	if (!c) {
		c = xcalloc(1, sizeof *c);
		c->id = ++m->ids.comm;
		(void)hash_set(&m->mpi_comms, rec->comm, c);
	} else if (c->name && strlen(c->name) == len && !memcmp(c->name, rec->name, len)) {
		return; /* each of its members tells the same */
	}
	free(c->name);
	c->name = xstrndup(rec->name, len);
	store_replace(m->store, STORE_MPI_COMM,
		&(struct row_mpi_comm){.id = c->id,
			.key = (int64_t)rec->comm,
			.name = len ? c->name : NULL,
			.size = (int64_t)rec->size,
			.members = members});
}

void model_mpi_members_add(struct model *m, struct thread *t, const struct rec_MPI_MEMBERS *rec)
{
	struct mpi_call *c = model_mpi_call(t);
	size_t len = rec->n <= sizeof rec->ranks / 4 ? (size_t)rec->n * 4 : sizeof rec->ranks + 1;

	if (len > sizeof rec->ranks || c->members.len + len > (size_t)MEMBERS_MAX * 4)
		model_skip(m);
	else
		buf_add(&c->members, rec->ranks, len);
}

/* ---- Counts ---- */

static struct mpi_rank *rank_of(struct proc *p)
{
	if (!p->mpi)
		p->mpi = xcalloc(1, sizeof *p->mpi);
	return p->mpi;
}

static struct traffic *traffic_of(
	struct model *m, struct proc *p, int64_t comm, int64_t peer, int64_t tag)
{
	struct mpi_rank *r = rank_of(p);
	uint64_t key = hash_mix((uint64_t)comm, (uint64_t)peer, (uint64_t)tag);
	struct traffic *t = hash_get(&r->traffic, key);

	if (t)
		return t;
	if (r->traffic.len >= TRAFFIC_MAX) {
		/* What is not counted is not judged. */
		if (p->mpi_job && *p->mpi_job) {
			*p->mpi_job = '\0';
			p->dirty = true;
			model_skip(m);
		}
		return NULL;
	}
	t = xcalloc(1, sizeof *t);
	t->row = (struct row_mpi_traffic){.process_id = p->id,
		.comm_id = comm,
		.peer = peer,
		.tag = tag,
		.site_id = STORE_NULL};
	(void)hash_set(&r->traffic, key, t);
	return t;
}

static void mark(struct mpi_rank *r, struct traffic *t)
{
	if (t->dirty)
		return;
	t->dirty = true;
	t->dirty_next = r->dirty;
	r->dirty = t;
}

void model_mpi_count(
	struct model *m, struct proc *p, const struct mpi_need *n, unsigned event, int64_t site)
{
	struct traffic *t = traffic_of(m, p, model_mpi_comm_id(m, n->comm), n->peer, n->tag);

	if (!t)
		return;
	switch (event) {
	case MPI_SENT:
		t->row.sent++;
		t->row.site_id = site;
		break;
	case MPI_RECEIVED:
		t->row.received++;
		break;
	case MPI_POSTED:
		t->row.posted++;
		t->row.site_id = site;
		break;
	case MPI_UNPOSTED:
		t->row.posted -= t->row.posted > 0;
		break;
	default:
		return;
	}
	mark(p->mpi, t);
}

void model_mpi_enter(
	struct model *m, struct proc *p, uint64_t comm, int64_t seq, const char *op, int64_t site)
{
	struct mpi_rank *r = rank_of(p);
	int64_t id = model_mpi_comm_id(m, comm);
	struct member *e = id ? hash_get(&r->members, (uint64_t)id) : NULL;

	if (!id || r->members.len >= MEMBERS_MAX)
		return;
	if (!e) {
		e = xcalloc(1, sizeof *e);
		(void)hash_set(&r->members, (uint64_t)id, e);
	}
	if (seq <= e->row.entered)
		return;
	e->row = (struct row_mpi_member){
		.comm_id = id, .process_id = p->id, .entered = seq, .op = op, .site_id = site};
	e->dirty = true;
}

void model_mpi_flush(struct model *m, struct proc *p)
{
	struct mpi_rank *r = p->mpi;
	struct hash_slot *slot;

	for (; r->dirty; r->dirty = r->dirty->dirty_next) {
		r->dirty->dirty = false;
		store_replace(m->store, STORE_MPI_TRAFFIC, &r->dirty->row);
	}
	for (size_t pos = 0; (slot = hash_next(&r->members, &pos));) {
		struct member *e = slot->value;

		if (e->dirty)
			store_replace(m->store, STORE_MPI_MEMBER, &e->row);
		e->dirty = false;
	}
}

static void free_values(struct hash *h)
{
	struct hash_slot *slot;

	for (size_t pos = 0; (slot = hash_next(h, &pos));)
		free(slot->value);
	hash_done(h);
}

void model_mpi_rank_free(struct proc *p)
{
	if (p->mpi) {
		free_values(&p->mpi->traffic);
		free_values(&p->mpi->members);
	}
	free(p->mpi);
	free(p->mpi_job);
	p->mpi = NULL;
	p->mpi_job = NULL;
}

void model_mpi_done(struct model *m)
{
	struct hash_slot *slot;

	for (size_t pos = 0; (slot = hash_next(&m->mpi_comms, &pos));)
		free(((struct mpi_comm *)slot->value)->name);
	free_values(&m->mpi_comms);
}

/* ---- The call that a thread is in ---- */

struct mpi_call *model_mpi_call(struct thread *t)
{
	if (!t->mpi) {
		t->mpi = xcalloc(1, sizeof *t->mpi);
		t->mpi->members = BUF_INIT;
	}
	return t->mpi;
}

void model_mpi_call_free(struct thread *t)
{
	if (!t->mpi)
		return;
	buf_done(&t->mpi->members);
	free(t->mpi->needs);
	free(t->mpi);
	t->mpi = NULL;
}

/* "receives from rank 1 with tag 5" */
static void add_need(struct buf *b, const struct model *m, const struct mpi_need *n)
{
	const char *comm = comm_name(m, n->comm);
	bool is_message = n->role <= MPI_ROLE_SSEND;

	if (n->role == MPI_ROLE_UNKNOWN) {
		buf_adds(b, "waits for a request that was not recorded");
		return;
	}
	if (!is_message) {
		buf_addf(b, "waits in the collective call no. %" PRId64 " on ", n->seq);
		buf_add_printable(b, comm, strlen(comm));
		return;
	}
	buf_adds(b, n->role == MPI_ROLE_RECV ? "receives from " : "sends to ");
	if (n->peer == MPI_ANY)
		buf_adds(b, "any rank");
	else
		buf_addf(b, "rank %" PRId64, n->peer);
	if (n->tag != MPI_ANY)
		buf_addf(b, " with tag %" PRId64, n->tag);
	if (n->comm && strcmp(comm, "MPI_COMM_WORLD") != 0) {
		buf_adds(b, " on ");
		buf_add_printable(b, comm, strlen(comm));
	}
}

char *model_mpi_detail(const struct model *m, const struct thread *t)
{
	enum { NAMED = 3 };
	const struct mpi_call *c = t->mpi;
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (size_t i = 0; i < c->n_needs && i < NAMED; i++) {
		buf_adds(&b, !i ? "" : c->any ? " or " : " and ");
		add_need(&b, m, &c->needs[i]);
	}
	if (c->n_needs > NAMED)
		buf_addf(&b, " and %zu more", c->n_needs - NAMED);
	buf_addf(&b, " (%s)", names_mpi_op(c->op));
	return buf_steal(&b);
}

void model_mpi_needs_write(struct model *m, const struct thread *t)
{
	const struct mpi_call *c = t->mpi;

	for (size_t i = 0; i < c->n_needs; i++) {
		const struct mpi_need *n = &c->needs[i];

		store_put(m->store, STORE_MPI_NEED,
			&(struct row_mpi_need){.wait_id = t->wait.row,
				.ordinal = (int64_t)i,
				.role = names_mpi_role(n->role),
				.comm_id = model_mpi_comm_id(m, n->comm),
				.peer = n->peer,
				.tag = n->tag,
				.seq = n->seq > 0 ? n->seq : STORE_NULL,
				.op = names_mpi_op(n->op)});
	}
}

void model_mpi_sync_write(struct model *m, struct thread *t, int64_t end, int64_t result)
{
	struct mpi_call *c = t->mpi;
	int64_t comm = model_mpi_comm_id(m, c->first.comm);
	bool is_collective = c->first.seq > 0 && c->first.op == c->op;

	if (!c->row && end != STORE_NULL && !model_keeps(m, t, DETAIL_MPI))
		return;

	struct row_sync row = {.id = c->row,
		.lock_id = STORE_NULL,
		.thread_id = t->id,
		.op = names_mpi_op(c->op),
		.start_ns = c->start,
		.end_ns = end,
		.result = result,
		.site_id = c->site,
		.mutex_id = STORE_NULL,
		.target_id = STORE_NULL,
		.value = STORE_NULL,
		.comm_id = comm ? comm : STORE_NULL,
		.peer = c->first.peer,
		.tag = c->first.seq > 0 ? STORE_NULL : c->first.tag,
		.seq = is_collective ? c->first.seq : STORE_NULL};

	store_write_numbered(m->store, STORE_SYNC, &row, &c->row);
}

void model_mpi_call_flush(struct model *m, struct thread *t)
{
	if (t->mpi && t->mpi->open && !t->mpi->row)
		model_mpi_sync_write(m, t, STORE_NULL, STORE_NULL);
}
