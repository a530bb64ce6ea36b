/* pipe.c - pipes, FIFOs, socketpairs: identity, name, end. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/names.h"

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
		.name = name,
		.sent_ns = pipe->sent ? pipe->sent_ns : STORE_NULL};

	store_write(m->store, STORE_PIPE, &row, &pipe->written);
	pipe->dirty = false;
}

/* A pipe that nobody holds any more is kept for a while, for records that are late. */
static void queue_pipe(struct model *m, struct pipe *pipe, int64_t ts)
{
	if (pipe->ends || pipe->waits)
		return;
	pipe->closed_ns = ts;
	if (pipe->in_ended)
		return;
	pipe->in_ended = true;
	pipe->ended_next = NULL;
	*m->ended_pipes_end = pipe;
	m->ended_pipes_end = &pipe->ended_next;
}

void model_pipe_leave(struct model *m, struct pipe *pipe, int64_t ts)
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

/* Says whether an end that is opened now belongs to another pipe of the same inode number. */
static bool is_over(const struct pipe *pipe)
{
	return !pipe->ends && (pipe->kind != PIPE_FIFO || pipe->closed_ns);
}

/* Finds the pipe of a new end, or makes it known. */
struct pipe *model_pipe_of(
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

void model_pipe_sent(struct pipe *pipe, int64_t ts)
{
	/* The receiver's word may come first, for a call that sends returns after it has sent. */
	const int64_t late_ns = 1000000000;

	if (pipe->received && ts - pipe->received_ns < late_ns) {
		pipe->received--;
		return;
	}
	pipe->received = 0;
	if (!pipe->sent++)
		pipe->sent_ns = ts;
	pipe->dirty = true;
}

void model_pipe_received(struct pipe *pipe, int64_t ts)
{
	if (pipe->sent) {
		pipe->sent--;
		pipe->dirty = true;
	} else {
		pipe->received++;
		pipe->received_ns = ts;
	}
}

void model_pipe_flush(struct model *m)
{
	for (struct pipe *pipe = m->all_pipes; pipe; pipe = pipe->next) {
		if (pipe->dirty)
			write_pipe(m, pipe);
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
		pipe->in_ended = false;
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
