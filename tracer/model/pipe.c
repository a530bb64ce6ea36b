/* pipe.c - pipes, FIFOs, connected sockets: identity, name, end. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/names.h"

#include <fcntl.h>

static uint64_t pipe_key(uint64_t dev, uint64_t inode)
{
	return hash_mix(dev, inode, 1);
}

static uint64_t kind_key(int kind, uint64_t key)
{
	return hash_mix(key, (uint64_t)kind, 2);
}

struct pipe *model_find_pipe(const struct model *m, uint64_t dev, uint64_t inode, uint8_t *ret_side)
{
	struct pipe *pipe = inode ? hash_get(&m->pipes, pipe_key(dev, inode)) : NULL;

	if (pipe)
		*ret_side = pipe_is_two_sided(pipe->kind) && inode == pipe->inode2;
	return pipe;
}

struct pipe *model_find_socket(const struct model *m, int kind, uint64_t key)
{
	return hash_get(&m->pipes, kind_key(kind, key));
}

static void forget_key(struct model *m, const struct pipe *pipe, uint64_t key)
{
	if (hash_get(&m->pipes, key) == pipe)
		(void)hash_del(&m->pipes, key);
}

void model_pipe_key(struct model *m, struct pipe *pipe, uint64_t key)
{
	if (pipe->key)
		forget_key(m, pipe, kind_key(pipe->kind, pipe->key));
	pipe->key = key;
	(void)hash_set(&m->pipes, kind_key(pipe->kind, key), pipe);
}

/* given: the descriptor at which the command was given it, -1: it was not. */
static struct pipe *new_pipe(
	struct model *m, int kind, uint64_t dev, uint64_t inode, uint64_t inode2, int given)
{
	struct pipe *pipe = xcalloc(1, sizeof *pipe);

	pipe->given = given;
	pipe->id = given < 0 ? m->ids.pipe++ : m->ids.given++;
	pipe->kind = kind;
	pipe->dev = dev;
	pipe->inode = inode;
	pipe->inode2 = inode2;
	pipe->created = pipe->creator_id = pipe->listener_id = STORE_NULL;
	/* A socket's side is known only if its creation was seen. */
	pipe->outside = kind == PIPE_UNIX || kind == PIPE_TCP || kind == PIPE_LISTEN ? 3 : 0;
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

/* The command's standard output is no pipe of its own, and does not count as one. */
static char *given_name(const char *kind, int fd)
{
	static const char *const names[] = {"stdin", "stdout", "stderr"};

	if (fd < (int)ARRAY_SIZE(names))
		return xasprintf("%s at %s", kind, names[fd]);
	return xasprintf("%s at fd %d", kind, fd);
}

char *model_pipe_name(const struct pipe *pipe)
{
	const char *kind = names_pipe_kind(pipe->kind);
	const char *local = pipe->local ? pipe->local : "?";
	const char *remote = pipe->remote ? pipe->remote : "?";
	bool accepted = pipe->via == END_ACCEPT;
	_cleanup_free_ char *name = NULL;

	if (pipe->kind == PIPE_TCP)
		return xasprintf("TCP connection %s -> %s", accepted ? remote : local,
			accepted ? local : remote);
	if (pipe->kind == PIPE_LISTEN)
		return xasprintf("listening socket %s", local);
	if (pipe->kind == PIPE_UNIX)
		return xasprintf("Unix socket %lld (%s)", (long long)pipe->id,
			pipe->local && (accepted || !pipe->remote) ? local : remote);
	if (pipe->path)
		return xasprintf("%s %s", kind, pipe->path);
	name = pipe->given < 0 ? xasprintf("%s %lld", kind, (long long)pipe->id)
			       : given_name(kind, pipe->given);
	if (!pipe->writer[0] && !pipe->reader[0])
		return steal(&name);
	return xasprintf("%s (%s -> %s)", name, pipe->writer[0] ? pipe->writer : "?",
		pipe->reader[0] ? pipe->reader : "?");
}

static void write_pipe(struct model *m, struct pipe *pipe)
{
	_cleanup_free_ char *name = model_pipe_name(pipe);
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
		.sent_ns = pipe->sent ? pipe->sent_ns : STORE_NULL,
		.local = pipe->local,
		.remote = pipe->remote,
		.listener_id = pipe->listener_id,
		.unnamed = pipe->unnamed};

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

/* Nobody can tell any more which of the sockets that look the same belong together. */
static void mix_up(struct pipe *pipe)
{
	pipe->ambiguous = pipe->dirty = true;
	pipe->outside = 3;
}

/* Says whether both sockets were created the same way (both connected or both accepted), so they cannot be the two sides of one connection. */
static bool is_same_role(const struct pipe *pipe, uint64_t via)
{
	return (via == END_CONNECT || via == END_ACCEPT) && pipe->via == (int)via;
}

/* Finds the socket of an end by its own inode, else as the other side of one that is known. */
static struct pipe *find_side(
	struct model *m, const struct rec_END_OPEN *rec, uint8_t *ret_side, bool *ret_ambiguous)
{
	struct pipe *pipe = model_find_pipe(m, rec->dev, rec->inode, ret_side);
	uint64_t taken;

	/* A TCP socket can be connected again. */
	if (pipe && pipe->kind == PIPE_TCP && rec->inode2 && pipe->key != rec->inode2)
		return NULL;
	if (pipe || !rec->inode2 || !pipe_is_two_sided((int)rec->kind))
		return pipe;
	if (rec->kind == PIPE_TCP) {
		pipe = model_find_socket(m, PIPE_TCP, rec->inode2);
		*ret_side = 1;
	} else {
		pipe = model_find_pipe(m, rec->dev, rec->inode2, ret_side);
		*ret_side = !*ret_side;
	}
	if (!pipe || pipe->kind != (int)rec->kind)
		return NULL;
	taken = *ret_side ? pipe->inode2 : pipe->inode;
	if ((!taken || taken == rec->inode) && !is_same_role(pipe, rec->via))
		return pipe;
	if (pipe->ends) {
		mix_up(pipe);
		*ret_ambiguous = true;
	}
	return NULL;
}

/* Notes which socket of a connection an end belongs to, and whether all who hold that socket are known. */
static void know_side(
	struct model *m, struct pipe *pipe, const struct rec_END_OPEN *rec, uint8_t side)
{
	bool from_birth = rec->via == END_CONNECT || rec->via == END_ACCEPT ||
			  rec->via == END_LISTEN ||
			  (rec->via == END_FOUND && rec->head.flags & REC_SNAP);
	uint64_t other = side ? rec->inode : rec->kind == PIPE_TCP ? 0 : rec->inode2;

	if (pipe_is_two_sided(pipe->kind) && !pipe->inode2 && other) {
		pipe->inode2 = other;
		/* Under the key by which it is forgotten: a forged record may name another device. */
		(void)hash_set(&m->pipes, pipe_key(pipe->dev, other), pipe);
		pipe->dirty = true;
	}
	if (from_birth && pipe->outside >> side & 1 && !pipe->ambiguous) {
		pipe->outside &= ~(1u << side);
		pipe->dirty = true;
	}
}

/* Returns the descriptor if pptrace passed it on to the command from its own caller, else -1. */
static int given_fd(const struct model *m, const struct proc *p, const struct rec_END_OPEN *rec)
{
	bool plain = rec->kind == PIPE_PIPE || rec->kind == PIPE_SOCKETPAIR;

	if (!m->config.has_command || !plain || (rec->via != END_FOUND && rec->via != END_EXEC) ||
		p->found || p->parent_id != STORE_NULL)
		return -1;
	return rec->fd < INT32_MAX ? (int)rec->fd : -1;
}

static struct pipe *new_pipe_of(
	struct model *m, struct thread *t, const struct rec_END_OPEN *rec, bool is_ambiguous)
{
	bool has_peer =
		rec->kind == PIPE_SOCKETPAIR || rec->kind == PIPE_UNIX || rec->kind == PIPE_PTY;
	struct pipe *pipe = new_pipe(m, (int)rec->kind, rec->dev, rec->inode,
		has_peer ? rec->inode2 : 0, given_fd(m, t->proc, rec));

	pipe->via = (int)rec->via;
	if (rec->kind == PIPE_TCP && rec->inode2)
		model_pipe_key(m, pipe, rec->inode2);
	if (is_ambiguous)
		mix_up(pipe);
	if (rec->via == END_CREATE || rec->via == END_CONNECT || rec->via == END_LISTEN)
		pipe->creator_id = t->id;
	return pipe;
}

/* Says whether this end is the first of a new pipe. */
static bool is_birth(const struct rec_END_OPEN *rec)
{
	return rec->via == END_CREATE || rec->via == END_CONNECT || rec->via == END_ACCEPT ||
	       rec->via == END_LISTEN || (rec->via == END_OPENED && rec->kind == PIPE_FIFO);
}

/* Finds the pipe of a new end, or makes it known. */
struct pipe *model_pipe_of(
	struct model *m, struct thread *t, const struct rec_END_OPEN *rec, uint8_t *ret_side)
{
	bool creates = is_birth(rec), is_ambiguous = false;
	struct pipe *pipe = find_side(m, rec, ret_side, &is_ambiguous);

	/*
	 * An inode number can be used again once nobody holds the pipe. A FIFO that nobody had open yet was made
	 * known by the thread that waits to open it.
	 */
	if (pipe && creates && rec->via != END_ACCEPT && is_over(pipe))
		pipe = NULL;
	if (!pipe) {
		pipe = new_pipe_of(m, t, rec, is_ambiguous);
		*ret_side = 0;
	}
	know_side(m, pipe, rec, *ret_side);
	if (creates && !pipe->ends && pipe->created == STORE_NULL) {
		pipe->created = model_time(m, rec->head.ts);
		pipe->dirty = true;
	}
	if (!pipe->path && rec->path[0]) {
		pipe->path = xstrndup(rec->path, sizeof rec->path);
		pipe->dirty = true;
	}
	if (rec->mode & END_UNNAMED && !pipe->unnamed)
		pipe->unnamed = pipe->dirty = true;
	return pipe;
}

struct pipe *model_fifo(struct model *m, uint64_t dev, uint64_t inode)
{
	uint8_t side;
	struct pipe *pipe = model_find_pipe(m, dev, inode, &side);

	if (!pipe || (is_over(pipe) && !pipe->waits))
		pipe = new_pipe(m, PIPE_FIFO, dev, inode, 0, -1);
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
	(void)snprintf(
		name, sizeof pipe->writer, "%s", p->program ? p->program : model_proc_name(p));
	pipe->dirty = true;
}

void model_outside(struct model *m, const struct rec_OUTSIDE *rec)
{
	uint8_t side = 0;
	struct pipe *pipe = model_find_pipe(m, rec->dev, rec->inode, &side);
	unsigned bits;

	if (!pipe)
		return;
	bits = pipe_is_two_sided(pipe->kind)
		       ? 1u << side
		       : (rec->mode & END_READ ? 1u : 0) | (rec->mode & END_WRITE ? 2u : 0);
	pipe->dirty |= (pipe->outside | bits) != pipe->outside;
	pipe->outside |= bits;
}

void model_pipe_sent(struct pipe *pipe, int64_t ts)
{
	/* The receiver's record may come first: the sending call returns only after the data is sent. */
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

static void free_pipe(struct model *m, struct pipe *pipe)
{
	forget_key(m, pipe, pipe_key(pipe->dev, pipe->inode));
	if (pipe->inode2)
		forget_key(m, pipe, pipe_key(pipe->dev, pipe->inode2));
	if (pipe->key)
		forget_key(m, pipe, kind_key(pipe->kind, pipe->key));
	*pipe->link = pipe->next;
	if (pipe->next)
		pipe->next->link = pipe->link;
	free(pipe->path);
	free(pipe->local);
	free(pipe->remote);
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
