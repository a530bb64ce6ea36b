/* model_pipe.c - pipes, FIFOs, socketpairs: who holds which end, what flows. */
/* SPDX-License-Identifier: MIT */
/*
 * The set of holders of each end must be exact, because a reader sees the end
 * of file only when the last writer is gone. At fork the model copies the
 * parent's ends; a source that walks the child's descriptors itself confirms
 * them, and those that it did not confirm by the child's first own record are
 * taken back: another thread may have closed them at that moment.
 */
#include "base/mem.h"
#include "schema/names.h"
#include "tracer/model_state.h"

#include <fcntl.h>

static uint64_t pipe_key(uint64_t dev, uint64_t inode)
{
	return hash_mix(dev, inode, 1);
}

struct pipe *model_find_pipe(const struct model *m, uint64_t dev, uint64_t inode, uint8_t *ret_side)
{
	struct pipe *pipe = inode ? hash_get(&m->pipes, pipe_key(dev, inode)) : NULL;

	if (pipe)
		*ret_side = pipe->kind == PIPE_SOCKETPAIR && inode == pipe->inode2;
	return pipe;
}

/* Descriptors are keys from 1 on: 0 would do for a hash, a negative one not. */
struct end *model_find_end(const struct proc *p, uint64_t fd)
{
	return hash_get(&p->ends, fd + 1);
}

static struct pipe *new_pipe(
	struct model *m, int kind, uint64_t dev, uint64_t inode, uint64_t inode2)
{
	struct pipe *pipe = xcalloc(1, sizeof *pipe);

	pipe->id = m->ids.pipe++;
	pipe->kind = kind;
	pipe->dev = dev;
	pipe->inode = inode;
	pipe->inode2 = inode2;
	pipe->created = pipe->creator_id = STORE_NULL;
	pipe->dirty = true;
	pipe->link = &m->all_pipes;
	pipe->next = m->all_pipes;
	if (pipe->next)
		pipe->next->link = &pipe->next;
	m->all_pipes = pipe;
	(void)hash_set(&m->pipes, pipe_key(dev, inode), pipe);
	if (inode2)
		(void)hash_set(&m->pipes, pipe_key(dev, inode2), pipe);
	return pipe;
}

/* A name for people: 'pipe 3 (ls -> sort)'; the caller frees it. */
static char *pipe_name(const struct pipe *pipe)
{
	const char *kind = names_pipe_kind(pipe->kind);

	if (pipe->path)
		return xasprintf("%s %s", kind, pipe->path);
	if (!pipe->writer[0] && !pipe->reader[0])
		return xasprintf("%s %lld", kind, (long long)pipe->id);
	return xasprintf("%s %lld (%s -> %s)", kind, (long long)pipe->id,
		pipe->writer[0] ? pipe->writer : "?", pipe->reader[0] ? pipe->reader : "?");
}

static void write_pipe(struct model *m, struct pipe *pipe)
{
	_cleanup_free_ char *name = pipe_name(pipe);
	struct row_pipe row = {.id = pipe->id,
		.kind = names_pipe_kind(pipe->kind),
		.inode = (int64_t)pipe->inode,
		.inode2 = pipe->inode2 ? (int64_t)pipe->inode2 : STORE_NULL,
		.dev = (int64_t)pipe->dev,
		.path = pipe->path,
		.created_ns = pipe->created,
		.creator_id = pipe->creator_id,
		.outside = pipe->outside,
		.name = name};

	if (pipe->written)
		store_replace(m->store, STORE_PIPE, &row);
	else
		store_put(m->store, STORE_PIPE, &row);
	pipe->written = true;
	pipe->dirty = false;
}

static void write_end(struct model *m, const struct proc *p, struct end *e, int64_t ts, int via)
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

	if (e->written)
		store_replace(m->store, STORE_PIPE_END, &row);
	else
		store_put(m->store, STORE_PIPE_END, &row);
	e->written = true;
}

/* A pipe that nobody holds any more is kept for a while, for records that are late. */
static void queue_pipe(struct model *m, struct pipe *pipe, int64_t ts)
{
	if (pipe->ends || pipe->waits)
		return;
	pipe->closed_ns = ts;
	if (pipe->queued)
		return;
	pipe->queued = true;
	pipe->ended_next = NULL;
	*m->ended_pipes_end = pipe;
	m->ended_pipes_end = &pipe->ended_next;
}

static void leave_pipe(struct model *m, struct pipe *pipe, int64_t ts)
{
	pipe->ends--;
	queue_pipe(m, pipe, ts);
}

void model_pipe_unwait(struct model *m, struct pipe *pipe, int64_t ts)
{
	pipe->waits--;
	queue_pipe(m, pipe, ts);
}

void model_fifo_opened(struct model *m, struct thread *t, int64_t ts)
{
	struct pipe *pipe = t->opening;

	t->opening = NULL;
	if (pipe)
		model_pipe_unwait(m, pipe, ts);
}

static void close_end(struct model *m, struct proc *p, struct end *e, int64_t ts, int via)
{
	write_end(m, p, e, ts, via);
	(void)hash_del(&p->ends, (uint64_t)e->fd + 1);
	leave_pipe(m, e->pipe, ts);
	free(e);
}

static struct end *open_end(struct model *m, struct proc *p, struct pipe *pipe, uint64_t fd,
	unsigned mode, int64_t ts, int via)
{
	struct end *e = xcalloc(1, sizeof *e);

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
	struct end *e = model_find_end(p, rec->fd);

	if (e && e->pipe == pipe && e->side == side && is_confirmation(rec->via)) {
		e->confirmed = true;
		e->cloexec = rec->cloexec != 0;
		return;
	}
	if (e)
		close_end(m, p, e, ts, END_REPLACED);
	e = open_end(m, p, pipe, rec->fd, (unsigned)rec->mode, ts,
		rec->via == END_EXEC ? END_FOUND : (int)rec->via);
	e->side = side;
	e->file = rec->file;
	e->cloexec = rec->cloexec != 0;
	e->confirmed = is_confirmation(rec->via);
}

/* Says whether an end that is opened now belongs to another pipe of the same inode number. */
static bool is_over(const struct pipe *pipe)
{
	return !pipe->ends && (pipe->kind != PIPE_FIFO || pipe->closed_ns);
}

/* Finds the pipe of a new end, or makes it known. */
static struct pipe *pipe_of(
	struct model *m, struct thread *t, const struct rec_END_OPEN *rec, uint8_t *ret_side)
{
	bool creates = rec->via == END_CREATE || (rec->via == END_OPENED && rec->kind == PIPE_FIFO);
	struct pipe *pipe = model_find_pipe(m, rec->dev, rec->inode, ret_side);

	/*
	 * An inode number can be used again once nobody holds the pipe. A FIFO that
	 * nobody had open yet was made known by the one who waits to open it.
	 */
	if (pipe && creates && is_over(pipe))
		pipe = NULL;
	if (!pipe) {
		pipe = new_pipe(m, (int)rec->kind, rec->dev, rec->inode,
			rec->kind == PIPE_SOCKETPAIR ? rec->inode2 : 0);
		*ret_side = 0;
		if (rec->via == END_CREATE)
			pipe->creator_id = t->id;
	} else if (pipe->kind == PIPE_SOCKETPAIR && !pipe->inode2 && rec->inode2) {
		pipe->inode2 = rec->inode2;
		(void)hash_set(&m->pipes, pipe_key(rec->dev, rec->inode2), pipe);
	}
	if (creates && !pipe->ends && pipe->created == STORE_NULL) {
		pipe->created = model_time(m, rec->head.ts);
		pipe->dirty = true;
	}
	if (!pipe->path && rec->path[0]) {
		pipe->path = xstrndup(rec->path, sizeof rec->path);
		pipe->dirty = true;
	}
	return pipe;
}

void model_end_open(struct model *m, const struct rec_END_OPEN *rec)
{
	struct thread *t;
	struct pipe *pipe;
	uint8_t side = 0;

	if (!rec->inode || !names_pipe_kind((int)rec->kind) || rec->kind > PIPE_SOCKETPAIR ||
		!(rec->mode & (END_READ | END_WRITE)) || !names_end_via((int)rec->via) ||
		rec->via > END_EXIT || rec->fd > INT32_MAX) {
		model_skip(m);
		return;
	}
	if (rec->via == END_INHERIT && !(rec->head.flags & REC_SHIM))
		m->confirms = true;
	t = model_thread(m, &rec->head);
	if (t->proc->ended)
		return;
	pipe = pipe_of(m, t, rec, &side);
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
		struct end *e = rec->fd <= INT32_MAX ? model_find_end(p, rec->fd) : NULL;

		if (e && (!rec->inode || rec->inode == e->pipe->inode ||
				 rec->inode == e->pipe->inode2))
			close_end(m, p, e, ts, via);
		p = p->files;
		if (p == t->proc)
			break;
	}
}

void model_ends_inherit(
	struct model *m, struct proc *child, struct proc *parent, int64_t ts, bool share)
{
	struct hash_slot *slot;

	for (size_t pos = 0; (slot = hash_next(&parent->ends, &pos));) {
		const struct end *from = slot->value;
		struct end *e = model_find_end(child, (uint64_t)from->fd);

		if (e) /* the probe's word came first */
			continue;
		e = open_end(m, child, from->pipe, (uint64_t)from->fd, from->mode, ts, END_INHERIT);
		e->side = from->side;
		e->file = from->file;
		e->cloexec = from->cloexec;
		child->unconfirmed = true;
	}
	if (share) {
		child->files = parent->files;
		parent->files = child;
	}
}

/* Calls each end of a process; each may close it. */
static void each_end(struct model *m, struct proc *p, int64_t ts,
	void (*each)(struct model *m, struct proc *p, struct end *e, int64_t ts))
{
	size_t n = 0, cap = p->ends.len;
	_cleanup_free_ struct end **list = xcalloc(cap, sizeof *list);
	struct hash_slot *slot;

	for (size_t pos = 0; n < cap && (slot = hash_next(&p->ends, &pos));)
		list[n++] = slot->value;
	for (size_t i = 0; i < n; i++)
		each(m, p, list[i], ts);
}

/* Takes back an end that the child never had. */
static void take_back(struct model *m, struct proc *p, struct end *e, int64_t ts)
{
	if (e->via != END_INHERIT || e->confirmed)
		return;
	if (e->written) {
		close_end(m, p, e, e->open_ns, END_CLOSE_CALL);
		return;
	}
	(void)hash_del(&p->ends, (uint64_t)e->fd + 1);
	leave_pipe(m, e->pipe, ts);
	free(e);
}

void model_ends_settle(struct model *m, struct proc *p, int64_t ts)
{
	p->unconfirmed = false;
	if (m->confirms)
		each_end(m, p, ts, take_back);
}

static void close_unconfirmed(struct model *m, struct proc *p, struct end *e, int64_t ts)
{
	if (e->confirmed)
		e->confirmed = false;
	else
		close_end(m, p, e, ts, END_EXEC);
}

static void close_marked(struct model *m, struct proc *p, struct end *e, int64_t ts)
{
	if (e->cloexec)
		close_end(m, p, e, ts, END_EXEC);
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

void model_ends_exec(struct model *m, struct proc *p, int64_t ts, bool listed)
{
	unshare(p);
	p->unconfirmed = false;
	each_end(m, p, ts, listed ? close_unconfirmed : close_marked);
}

static void close_exit(struct model *m, struct proc *p, struct end *e, int64_t ts)
{
	close_end(m, p, e, ts, END_EXIT);
}

void model_ends_exit(struct model *m, struct proc *p, int64_t ts)
{
	unshare(p);
	p->unconfirmed = false;
	each_end(m, p, ts, close_exit);
}

void model_ends_free(struct model *m, struct proc *p)
{
	struct hash_slot *slot;

	(void)m;
	for (size_t pos = 0; (slot = hash_next(&p->ends, &pos));)
		free(slot->value);
	hash_done(&p->ends);
}

struct pipe *model_fifo(struct model *m, uint64_t dev, uint64_t inode)
{
	uint8_t side;
	struct pipe *pipe = model_find_pipe(m, dev, inode, &side);

	if (!pipe || (is_over(pipe) && !pipe->waits))
		pipe = new_pipe(m, PIPE_FIFO, dev, inode, 0);
	return pipe;
}

uint8_t model_open_mode(const struct rec_WAIT_BEGIN *rec)
{
	const char *name = names_syscall((long)rec->syscall);
	uint64_t flags = name && !strcmp(name, "open") ? rec->arg1 : rec->arg2;

	return name && (!strcmp(name, "creat") || (flags & O_ACCMODE) == O_WRONLY) ? END_WRITE
										   : END_READ;
}

void model_pipe_used(struct pipe *pipe, const struct proc *p, bool writes)
{
	char *name = writes ? pipe->writer : pipe->reader;

	if (name[0] || !p->name[0])
		return;
	memcpy(name, p->name, sizeof pipe->writer);
	pipe->dirty = true;
}

static bool io_writes(uint64_t op)
{
	switch ((enum io_op)op) {
	case IO_WRITE:
	case IO_WRITEV:
	case IO_SPLICE_OUT:
	case IO_TEE_OUT:
	case IO_VMSPLICE:
	case IO_SENDFILE:
	case IO_SEND:
		return true;
	case IO_READ:
	case IO_READV:
	case IO_SPLICE_IN:
	case IO_TEE_IN:
	case IO_RECV:
		break;
	}
	return false;
}

/* The pipe of a read or write. A descriptor that nobody told us about is proved by its use. */
static struct pipe *pipe_used(
	struct model *m, struct thread *t, const struct rec_PIPE_IO *rec, uint8_t *ret_side)
{
	struct end *e = rec->fd <= INT32_MAX ? model_find_end(t->proc, rec->fd) : NULL;
	struct pipe *pipe = model_find_pipe(m, rec->dev, rec->inode, ret_side);

	if (pipe && !e && rec->fd <= INT32_MAX && !t->proc->ended)
		open_end(m, t->proc, pipe, rec->fd, io_writes(rec->op) ? END_WRITE : END_READ,
			model_time(m, rec->start), END_FOUND)
			->side = *ret_side;
	if (!pipe && e) {
		*ret_side = e->side;
		return e->pipe;
	}
	return pipe;
}

/* The first bytes, those of MORE records after those of the record itself. */
static void io_data(
	struct model *m, struct thread *t, const struct rec_PIPE_IO *rec, struct buf *data)
{
	if (rec->data_len <= sizeof rec->data)
		buf_add(data, rec->data, rec->data_len);
	if (t->more)
		buf_add(data, t->more->data.data, t->more->data.len);
	if (data->len > m->config.data_bytes)
		data->len = m->config.data_bytes;
	model_more_free(t);
}

void model_pipe_io(struct model *m, const struct rec_PIPE_IO *rec)
{
	_cleanup_buf_ struct buf data = BUF_INIT;
	struct thread *t = model_thread(m, &rec->head);
	int64_t result = (int64_t)rec->result;
	bool writes = io_writes(rec->op);
	struct pipe *pipe;
	uint8_t side = 0;

	io_data(m, t, rec, &data);
	pipe = names_io_call((int)rec->op) && rec->op <= IO_RECV ? pipe_used(m, t, rec, &side)
								 : NULL;
	if (!pipe) {
		model_skip(m);
		return;
	}
	model_pipe_used(pipe, t->proc, writes);
	store_put(m->store, STORE_PIPE_IO,
		&(struct row_pipe_io){.pipe_id = pipe->id,
			.thread_id = t->id,
			.fd = rec->fd <= INT32_MAX ? (int64_t)rec->fd : STORE_NULL,
			.op = writes ? "write" : "read",
			.start_ns = model_time(m, rec->start),
			.end_ns = model_time(m, rec->head.ts),
			.requested = (int64_t)rec->requested,
			.bytes = result < 0 ? STORE_NULL : result,
			.errno_ = result < 0 ? -result : STORE_NULL,
			.data = data.len ? data.data : NULL,
			.data_len = (int64_t)data.len,
			.call = names_io_call((int)rec->op),
			.side = side});
}

void model_outside(struct model *m, const struct rec_OUTSIDE *rec)
{
	uint8_t side = 0;
	struct pipe *pipe = model_find_pipe(m, rec->dev, rec->inode, &side);
	unsigned bits;

	if (!pipe)
		return;
	bits = pipe->kind == PIPE_SOCKETPAIR
		       ? 1u << side
		       : (rec->mode & END_READ ? 1u : 0) | (rec->mode & END_WRITE ? 2u : 0);
	pipe->dirty |= (pipe->outside | bits) != pipe->outside;
	pipe->outside |= bits;
}

void model_pipe_flush(struct model *m)
{
	struct hash_slot *slot;

	for (struct pipe *pipe = m->all_pipes; pipe; pipe = pipe->next) {
		if (pipe->dirty)
			write_pipe(m, pipe);
	}
	for (struct proc *p = m->all_procs; p; p = p->next) {
		for (size_t pos = 0; (slot = hash_next(&p->ends, &pos));) {
			struct end *e = slot->value;

			if (!e->written && !p->unconfirmed)
				write_end(m, p, e, STORE_NULL, 0);
		}
	}
}

static void forget_key(struct model *m, struct pipe *pipe, uint64_t inode)
{
	uint64_t key = pipe_key(pipe->dev, inode);

	if (inode && hash_get(&m->pipes, key) == pipe)
		(void)hash_del(&m->pipes, key);
}

static void free_pipe(struct model *m, struct pipe *pipe)
{
	forget_key(m, pipe, pipe->inode);
	forget_key(m, pipe, pipe->inode2);
	*pipe->link = pipe->next;
	if (pipe->next)
		pipe->next->link = pipe->link;
	free(pipe->path);
	free(pipe);
}

void model_pipe_retire(struct model *m, bool all)
{
	int64_t before = all ? INT64_MAX : m->now - GRACE_NS;

	while (m->ended_pipes && m->ended_pipes->closed_ns < before) {
		struct pipe *pipe = m->ended_pipes;

		m->ended_pipes = pipe->ended_next;
		if (!m->ended_pipes)
			m->ended_pipes_end = &m->ended_pipes;
		pipe->queued = false;
		if (pipe->dirty)
			write_pipe(m, pipe);
		if (!pipe->ends && !pipe->waits)
			free_pipe(m, pipe);
	}
}

void model_pipe_done(struct model *m)
{
	while (m->all_pipes)
		free_pipe(m, m->all_pipes);
}
