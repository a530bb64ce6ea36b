/* mpi_event.c - records of what MPI does. */
/* SPDX-License-Identifier: MIT */
/*
 * A rank that waits for another one does not sleep, as a rule: it looks again and again whether something has come, and
 * sleeps in between as the library likes. So the call is the wait, and what the kernel tells of the thread
 * meanwhile is left out. Threads that the library makes for itself serve it, and nobody waits for them.
 */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/names.h"

enum { NEEDS_MAX = 256 };

/* A rank, tag or number as the record has it: out of range is not known. */
static int64_t number(uint64_t n)
{
	int64_t i = (int64_t)n;

	return i >= MPI_ANY && i <= INT32_MAX ? i : MPI_ANY;
}

void model_mpi_rank(struct model *m, const struct rec_MPI_RANK *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	struct proc *p = t->proc;

	if (rec->rank > INT32_MAX || rec->size > INT32_MAX || p->retired) {
		model_skip(m);
		return;
	}
	if (!p->mpi_job)
		p->mpi_job = xstrndup(rec->job, strnlen(rec->job, sizeof rec->job));
	if (!*p->mpi_job && !m->has_nameless_job) {
		m->has_nameless_job = true;
		buf_adds(&m->blind,
			"The MPI job has no name: who waits for whom in it is not judged\n");
	}
	p->mpi_rank = (int64_t)rec->rank;
	p->mpi_size = (int64_t)rec->size;
	if (rec->ends)
		p->mpi_end = model_time(m, rec->head.ts);
	p->dirty = true;
}

void model_mpi_members(struct model *m, const struct rec_MPI_MEMBERS *rec)
{
	model_mpi_members_add(m, model_thread(m, &rec->head), rec);
}

void model_mpi_comm(struct model *m, const struct rec_MPI_COMM *rec)
{
	model_mpi_comm_told(m, model_thread(m, &rec->head), rec);
}

static void add_need(struct model *m, struct mpi_call *c, struct mpi_need n)
{
	if (n.role == MPI_ROLE_NONE || n.role >= MPI_ROLE_END || c->n_needs == NEEDS_MAX) {
		model_skip(m);
		return;
	}
	if (c->n_needs == c->cap_needs) {
		c->cap_needs = c->cap_needs ? 2 * c->cap_needs : 2;
		c->needs = xreallocarray(c->needs, c->cap_needs, sizeof *c->needs);
	}
	c->needs[c->n_needs++] = n;
}

void model_mpi_need(struct model *m, const struct rec_MPI_NEED *rec)
{
	struct mpi_call *c = model_mpi_call(model_thread(m, &rec->head));

	if (c->open) { /* the end of the last call was not recorded */
		c->open = false;
		c->n_needs = 0;
	}
	add_need(m, c,
		(struct mpi_need){
			.role = rec->role < MPI_ROLE_END ? (unsigned)rec->role : MPI_ROLE_END,
			.op = (unsigned)rec->op,
			.comm = rec->comm,
			.peer = number(rec->peer),
			.tag = number(rec->tag),
			.seq = number(rec->seq)});
}

void model_mpi_begin(struct model *m, const struct rec_MPI_BEGIN *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	struct mpi_call *c = model_mpi_call(t);
	int64_t ts = model_time(m, rec->head.ts);

	if (!names_mpi_op(rec->op) || rec->role >= MPI_ROLE_END || t->proc->retired) {
		model_skip(m);
		return;
	}
	if (c->open)
		c->n_needs = 0;
	c->open = true;
	c->any = rec->any != 0;
	c->op = (unsigned)rec->op;
	c->row = 0;
	c->start = ts;
	c->site = model_site(m, t->proc, rec->site, true);
	c->first = (struct mpi_need){.role = (unsigned)rec->role,
		.op = (unsigned)(rec->of ? rec->of : rec->op),
		.comm = rec->comm,
		.peer = number(rec->peer),
		.tag = number(rec->tag),
		.seq = number(rec->seq)};
	if (c->first.role)
		add_need(m, c, c->first);
	if (c->first.seq > 0)
		model_mpi_enter(
			m, t->proc, rec->comm, c->first.seq, names_mpi_op(rec->op), c->site);
	if (!c->n_needs) {
		model_wait_close(m, t, ts, STORE_NULL);
		return;
	}
	model_wait_open(m, t, ts);
	t->wait.reason = WAIT_MPI;
	t->wait.site = c->site;
	t->wait.user = ts;
}

void model_mpi_end(struct model *m, const struct rec_MPI_END *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	struct mpi_call *c = t->mpi;
	int64_t ts = model_time(m, rec->head.ts);

	if (!c || !c->open || c->op != rec->op) {
		model_skip(m);
		return;
	}
	if (t->wait.open && t->wait.reason == WAIT_MPI)
		model_wait_close(m, t, ts, STORE_NULL);
	model_mpi_sync_write(m, t, ts, (int32_t)rec->result);
	c->open = false;
	c->n_needs = 0;
}

void model_mpi_message(struct model *m, const struct rec_MPI_MESSAGE *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	const struct mpi_need n = {
		.comm = rec->comm, .peer = number(rec->peer), .tag = number(rec->tag)};
	int64_t site = model_site(m, t->proc, rec->site, true);

	if (t->proc->retired)
		model_skip(m);
	else if (rec->event == MPI_ENTERED)
		model_mpi_enter(
			m, t->proc, rec->comm, number(rec->seq), names_mpi_op(rec->tag), site);
	else
		model_mpi_count(m, t->proc, &n, (unsigned)rec->event, site);
}
