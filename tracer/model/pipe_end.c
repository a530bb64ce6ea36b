/* pipe_end.c - descriptors of pipes: who holds which end. */
/* SPDX-License-Identifier: MIT */
/*
 * The set of holders of each end must be exact, because a reader sees the end
 * of file only when the last writer is gone. At fork the model copies the
 * parent's ends; a source that walks the child's descriptors itself confirms
 * them, and those that it did not confirm by the child's first own record are
 * taken back: another thread may have closed them at that moment.
 */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/names.h"

/* Descriptors are keys from 1 on: 0 would do for a hash, a negative one not. */
struct pipe_end *model_find_pipe_end(const struct proc *p, uint64_t fd)
{
	return hash_get(&p->ends, fd + 1);
}

static void write_end(
	struct model *m, const struct proc *p, struct pipe_end *e, int64_t ts, int via)
{
	struct row_pipe_end row = {.id = e->id,
		.pipe_id = e->pipe->id,
		.process_id = p->id,
		.fd = e->fd < 0 ? STORE_NULL : e->fd,
		.mode = names_end_mode(e->mode),
		.side = e->side,
		.open_ns = e->open_ns,
		.open_via = names_end_via(e->via),
		.close_ns = ts,
		.close_via = via ? names_end_via(via) : NULL,
		.cloexec = e->cloexec};

	store_write(m->store, STORE_PIPE_END, &row, &e->written);
}

static void close_end(struct model *m, struct proc *p, struct pipe_end *e, int64_t ts, int via)
{
	write_end(m, p, e, ts, via);
	(void)hash_del(&p->ends, (uint64_t)e->fd + 1);
	model_pipe_leave(m, e->pipe, ts);
	free(e);
}

struct pipe_end *model_pipe_end_new(struct model *m, struct proc *p, struct pipe *pipe, uint64_t fd,
	unsigned mode, int64_t ts, int via)
{
	struct pipe_end *e = xcalloc(1, sizeof *e);

	e->id = m->ids.pipe_end++;
	e->pipe = pipe;
	e->fd = (int)fd;
	e->mode = (uint8_t)(mode & (END_READ | END_WRITE));
	e->via = (uint8_t)via;
	e->open_ns = ts;
	pipe->ends++;
	(void)hash_set(&p->ends, (uint64_t)e->fd + 1, e);
	return e;
}

static bool is_confirmation(uint64_t via)
{
	return via == END_INHERIT || via == END_EXEC || via == END_FOUND;
}

static void open_in(struct model *m, struct proc *p, const struct rec_END_OPEN *rec,
	struct pipe *pipe, uint8_t side)
{
	int64_t ts = model_time(m, rec->head.ts);
	struct pipe_end *e = model_find_pipe_end(p, rec->fd);

	if (e && e->pipe == pipe && e->side == side && is_confirmation(rec->via)) {
		e->confirmed = true;
		e->kept = rec->via == END_EXEC;
		e->cloexec = rec->cloexec != 0;
		return;
	}
	if (e)
		close_end(m, p, e, ts, END_REPLACED);
	e = model_pipe_end_new(m, p, pipe, rec->fd, (unsigned)rec->mode, ts,
		rec->via == END_EXEC ? END_FOUND : (int)rec->via);
	e->side = side;
	e->file = rec->file;
	e->cloexec = rec->cloexec != 0;
	e->confirmed = is_confirmation(rec->via);
	e->kept = rec->via == END_EXEC;
}

static bool has_end_of(const struct proc *p, const struct pipe *pipe)
{
	struct hash_slot *slot;

	for (size_t pos = 0; (slot = hash_next(&p->ends, &pos));) {
		const struct pipe_end *e = slot->value;

		if (e->pipe == pipe)
			return true;
	}
	return false;
}

/* Who did it once may do so again. */
static void may_reopen(struct proc *p, unsigned how)
{
	p->reopens |= how;
	p->dirty = true;
}

void model_end_open(struct model *m, const struct rec_END_OPEN *rec)
{
	struct thread *t;
	struct pipe *pipe;
	uint8_t side = 0;

	if (!rec->inode || !names_pipe_kind((int)rec->kind) || rec->kind > PIPE_PTY ||
		!(rec->mode & (END_READ | END_WRITE)) ||
		(!names_end_via((int)rec->via) && rec->via != END_SENT) || rec->fd > INT32_MAX) {
		model_skip(m);
		return;
	}
	if (rec->via == END_INHERIT && !(rec->head.flags & REC_SHIM))
		m->confirms = true;
	t = model_thread(m, &rec->head);
	if (t->proc->ended)
		return;
	pipe = model_pipe_of(m, t, rec, &side);
	if (rec->via == END_SENT) {
		model_pipe_sent(pipe, model_time(m, rec->head.ts));
		return;
	}
	if (rec->via == END_SCM)
		model_pipe_received(pipe, model_time(m, rec->head.ts));
	if (rec->via == END_OPENED && rec->kind == PIPE_PIPE && !has_end_of(t->proc, pipe))
		may_reopen(t->proc, REOPENS_BY_PATH);
	if (rec->via == END_TAKEN)
		may_reopen(t->proc, REOPENS_BY_TAKING);
	for (struct proc *p = t->proc;;) {
		open_in(m, p, rec, pipe, side);
		p = p->files;
		if (p == t->proc)
			break;
	}
	model_fifo_opened(m, t, model_time(m, rec->head.ts));
}

void model_end_close(struct model *m, const struct rec_END_CLOSE *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	int64_t ts = model_time(m, rec->head.ts);
	int via = rec->via == END_REPLACED ? END_REPLACED : END_CLOSE_CALL;

	for (struct proc *p = t->proc;;) {
		struct pipe_end *e = rec->fd <= INT32_MAX ? model_find_pipe_end(p, rec->fd) : NULL;

		if (e && (!rec->inode || rec->inode == e->pipe->inode ||
				 rec->inode == e->pipe->inode2))
			close_end(m, p, e, ts, via);
		p = p->files;
		if (p == t->proc)
			break;
	}
}

/* Leaves the ring of processes that share descriptors. */
static void unshare(struct proc *p)
{
	struct proc *before = p;

	while (before->files != p)
		before = before->files;
	before->files = p->files;
	p->files = p;
}

void model_pipe_ends_inherit(
	struct model *m, struct proc *child, struct proc *parent, int64_t ts, bool share)
{
	struct hash_slot *slot;

	for (size_t pos = 0; (slot = hash_next(&parent->ends, &pos));) {
		const struct pipe_end *from = slot->value;
		struct pipe_end *e = model_find_pipe_end(child, (uint64_t)from->fd);

		if (e) /* the probe's word came first */
			continue;
		e = model_pipe_end_new(
			m, child, from->pipe, (uint64_t)from->fd, from->mode, ts, END_INHERIT);
		e->side = from->side;
		e->file = from->file;
		e->cloexec = from->cloexec;
		m->n_unconfirmed += !child->unconfirmed;
		child->unconfirmed = true;
	}
	if (share) {
		/* A record may name a child that shares descriptors already, even the parent's own parent. */
		unshare(child);
		child->files = parent->files;
		parent->files = child;
	}
}

/* Calls each end of a process; each may close it. */
static void each_end(struct model *m, struct proc *p, int64_t ts,
	void (*each)(struct model *m, struct proc *p, struct pipe_end *e, int64_t ts))
{
	size_t n = 0, cap = p->ends.len;
	_cleanup_free_ struct pipe_end **list = xcalloc(cap, sizeof *list);
	struct hash_slot *slot;

	for (size_t pos = 0; n < cap && (slot = hash_next(&p->ends, &pos));)
		list[n++] = slot->value;
	for (size_t i = 0; i < n; i++)
		each(m, p, list[i], ts);
}

/* Takes back an end that the child never had. */
static void take_back(struct model *m, struct proc *p, struct pipe_end *e, int64_t ts)
{
	if (e->via != END_INHERIT || e->confirmed)
		return;
	if (e->written) {
		close_end(m, p, e, e->open_ns, END_CLOSE_CALL);
		return;
	}
	(void)hash_del(&p->ends, (uint64_t)e->fd + 1);
	model_pipe_leave(m, e->pipe, ts);
	free(e);
}

/* From now on the ends of a process are known to be what they are. */
static void confirm(struct model *m, struct proc *p)
{
	m->n_unconfirmed -= p->unconfirmed;
	p->unconfirmed = false;
}

void model_pipe_ends_settle(struct model *m, struct proc *p, int64_t ts)
{
	confirm(m, p);
	if (m->confirms)
		each_end(m, p, ts, take_back);
}

/*
 * What stays open is listed before the exec, by the kernel's side or the new
 * program. A program that announces another one lists what it has itself, with
 * what is marked to be closed.
 */
static void close_lost(struct model *m, struct proc *p, struct pipe_end *e, int64_t ts)
{
	if (e->kept && !e->cloexec)
		e->kept = false;
	else
		close_end(m, p, e, ts, END_EXEC);
}

void model_pipe_ends_exec(struct model *m, struct proc *p, int64_t ts)
{
	unshare(p);
	confirm(m, p);
	each_end(m, p, ts, close_lost);
}

static void close_exit(struct model *m, struct proc *p, struct pipe_end *e, int64_t ts)
{
	close_end(m, p, e, ts, END_EXIT);
}

void model_pipe_ends_exit(struct model *m, struct proc *p, int64_t ts)
{
	unshare(p);
	confirm(m, p);
	each_end(m, p, ts, close_exit);
}

void model_pipe_ends_free(struct model *m, struct proc *p)
{
	struct hash_slot *slot;

	(void)m;
	for (size_t pos = 0; (slot = hash_next(&p->ends, &pos));)
		free(slot->value);
	hash_done(&p->ends);
}

void model_pipe_ends_flush(struct model *m)
{
	struct hash_slot *slot;

	for (struct proc *p = m->all_procs; p; p = p->next) {
		for (size_t pos = 0; (slot = hash_next(&p->ends, &pos));) {
			struct pipe_end *e = slot->value;

			/* A child that has recorded nothing yet, because it computes, has its ends all the same. */
			if (!e->written && (!p->unconfirmed || !m->confirms || e->confirmed))
				write_end(m, p, e, STORE_NULL, 0);
		}
	}
}
