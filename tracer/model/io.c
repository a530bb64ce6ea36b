/* io.c - what flows through pipes, and output that still sits in a buffer. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/private.h"

#include "base/buf.h"
#include "schema/names.h"

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

/* The pipe of a read or write. A descriptor that no record opened is proved by its use. */
static struct pipe *pipe_used(
	struct model *m, struct thread *t, const struct rec_PIPE_IO *rec, uint8_t *ret_side)
{
	struct pipe_end *e = rec->fd <= INT32_MAX ? model_find_pipe_end(t->proc, rec->fd) : NULL;
	struct pipe *pipe = model_find_pipe(m, rec->dev, rec->inode, ret_side);

	if (pipe && !e && rec->fd <= INT32_MAX && !t->proc->ended)
		model_pipe_end_new(m, t->proc, pipe, rec->fd,
			io_writes(rec->op) ? END_WRITE : END_READ, model_time(m, rec->start),
			END_FOUND)
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

/* The row of one call that nothing is known of but what all have. */
static struct row_pipe_io row_of(
	const struct pipe *pipe, const struct thread *t, uint8_t side, uint64_t fd, uint64_t op)
{
	return (struct row_pipe_io){.pipe_id = pipe->id,
		.thread_id = t->id,
		.fd = fd <= INT32_MAX ? (int64_t)fd : STORE_NULL,
		.op = io_writes(op) ? "write" : "read",
		.call = names_io_call((int)op),
		.side = side,
		.errno_ = STORE_NULL,
		.count = STORE_NULL};
}

void model_pipe_io(struct model *m, const struct rec_PIPE_IO *rec)
{
	_cleanup_buf_ struct buf data = BUF_INIT;
	struct thread *t = model_thread(m, &rec->head);
	int64_t result = (int64_t)rec->result;
	struct row_pipe_io row;
	struct pipe *pipe;
	uint8_t side = 0;

	io_data(m, t, rec, &data);
	model_series_end(t, NULL);
	pipe = names_io_call((int)rec->op) && rec->op <= IO_RECV ? pipe_used(m, t, rec, &side)
								 : NULL;
	if (!pipe) {
		model_skip(m);
		return;
	}
	model_pipe_used(pipe, t->proc, io_writes(rec->op));
	if (!model_keeps(m, t, DETAIL_PIPES))
		return;
	row = row_of(pipe, t, side, rec->fd, rec->op);
	row.start_ns = model_time(m, rec->start);
	row.end_ns = model_time(m, rec->head.ts);
	row.requested = (int64_t)rec->requested;
	row.bytes = result < 0 ? STORE_NULL : result;
	if (result < 0)
		row.errno_ = (int64_t)(0 - rec->result);
	row.data = data.len ? data.data : NULL;
	row.data_len = (int64_t)data.len;
	model_io_put(m, t, &row);
}

/* The report may be late: the thread may have ended, and the descriptor been closed. Neither is made anew by it. */
void model_pipe_fold(struct model *m, const struct rec_PIPE_FOLD *rec)
{
	struct thread *t = model_known_thread(m, &rec->head);
	struct row_pipe_io row;
	uint8_t side = 0;
	struct pipe *pipe = t ? model_find_pipe(m, rec->dev, rec->inode, &side) : NULL;

	if (!pipe || !names_io_call((int)rec->op) || rec->op > IO_RECV || !rec->count ||
		rec->count > INT64_MAX || rec->bytes > INT64_MAX || rec->last < rec->start) {
		model_skip(m);
		return;
	}
	model_pipe_used(pipe, t->proc, io_writes(rec->op));
	if (!model_keeps(m, t, DETAIL_PIPES))
		return;
	row = row_of(pipe, t, side, rec->fd, rec->op);
	row.start_ns = model_time(m, rec->start);
	row.end_ns = model_time(m, rec->last);
	row.requested = (int64_t)rec->requested;
	row.bytes = (int64_t)rec->bytes;
	if (rec->count > 1)
		row.count = (int64_t)rec->count;
	model_io_put(m, t, &row);
}

void model_stdio(struct model *m, const struct rec_STDIO *rec)
{
	struct thread *t = model_thread(m, &rec->head);
	const struct pipe_end *e =
		rec->fd <= INT32_MAX ? model_find_pipe_end(t->proc, rec->fd) : NULL;
	size_t len = rec->pending < sizeof rec->data ? (size_t)rec->pending : sizeof rec->data;
	const char *at = names_stdio_when((int)rec->when);

	if (!at || rec->when > STDIO_STUCK || rec->fd > INT32_MAX || rec->pending > INT64_MAX) {
		model_skip(m);
		return;
	}
	if (!model_keeps(m, t, DETAIL_PIPES))
		return;
	if (len > m->config.data_bytes)
		len = m->config.data_bytes;
	store_put(m->store, STORE_STDIO,
		&(struct row_stdio){.process_id = t->proc->id,
			.thread_id = t->id,
			.ts_ns = model_time(m, rec->head.ts),
			.fd = (int64_t)rec->fd,
			.pipe_id = e ? e->pipe->id : STORE_NULL,
			.pending = (int64_t)rec->pending,
			.at = at,
			.hash = rec->hash ? (int64_t)rec->hash : STORE_NULL,
			.data = len ? rec->data : NULL,
			.data_len = (int64_t)len});
}
