/* providers_pipe.c - what waits for pipes, FIFOs, connected sockets and sets of descriptors rest on. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/private.h"

#include "base/buf.h"
#include "schema/query.h"
#include "schema/record.h"

/* What a read (or a write) on this side of a pipe rests on: whoever holds the opposite end. */
static uint32_t opposite(struct providers *pr, const struct state_pipe *p, int side, bool read)
{
	const struct state *st = pr->st;
	const struct state_pipe *listener = state_listener_of(st, p, side);
	uint32_t node;
	size_t n = 0;

	/* Whoever accepts the connection may go on with it, and so may who closes the socket. */
	if (listener) {
		p = listener;
		side = 1;
	}
	if (!p->known_from_birth || p->under_way)
		return LIVE;
	/* What is written to a terminal is echoed, and what stops its output is typed: either side counts. */
	if (p->is_pty && (p->read_outside || p->write_outside))
		return LIVE;
	if (p->is_two_sided || p->is_listener
			? ((side != 0) != p->is_to_itself ? p->read_outside : p->write_outside)
			: (read ? p->write_outside : p->read_outside))
		return LIVE;
	if (providers_shared(pr, SHARE_PIPE, (uint64_t)p->id * 4 + (uint64_t)side * 2 + read,
		    FIXPOINT_ANY, &node))
		return node;
	for (uint32_t i = p->first_end; i < p->first_end + p->n_ends; i++) {
		const struct state_end *e = &st->ends[i];
		uint32_t process = state_process(st, e->process_id);

		if (p->is_pty                               ? false
			: p->is_two_sided || p->is_listener ? (e->side == side) != p->is_to_itself
			: read                              ? !e->writes
							    : !e->reads)
			continue;
		if (process == STATE_NONE || !st->processes[process].alive)
			continue;
		fixpoint_edge(&pr->graph, node, pr->process_node[process]);
		n++;
	}
	/* With nobody left the call returns (end of file, EPIPE): it is on its way. */
	if (!n)
		pr->graph.nodes[node].source = true;
	return node;
}

bool providers_may_look_through(const struct state *st)
{
	return query_number(st->db, "SELECT max(id) FROM pipe_io", 0, 0, st->why) <=
	       QUERY_PIPE_IO_MOST;
}

/*
 * Says whether others have written to a pipe whose end a process polls: then it is no pipe with which the process wakes
 * itself.
 */
static bool is_written_by_others(const struct state *st, int64_t pipe_id, int64_t process_id)
{
	return providers_may_look_through(st) &&
	       query_pair(st->db,
		       "SELECT 1 FROM pipe_io i JOIN thread t ON t.id = i.thread_id"
		       " WHERE i.pipe_id = ?1 AND i.op = 'write' AND t.process_id <> ?2 LIMIT 1",
		       pipe_id, process_id, 0, st->why);
}

/* Says whether a thread moves bytes between two pipes: it is no loop that waits for whatever comes. */
static bool moves_bytes(const struct state *st, const struct state_thread *t)
{
	return query_number(st->db,
		"SELECT 1 FROM wait WHERE id = ?1 AND syscall IN ('splice', 'tee')", t->wait.id, 0,
		st->why);
}

/*
 * Says whether a signal may bring about what a thread waits for of itself. What a language's runtime does of its own
 * accord may write to a pipe, but reads none.
 */
static bool may_wake_itself(
	const struct providers *pr, const struct state_thread *t, int64_t pipe_id, bool read)
{
	const struct state *st = pr->st;

	if (!pr->generous || (!read && !state_takes_signals(st, t->process)))
		return false;
	/* Go's own handlers do nothing but hand a signal to a goroutine that waits for it, which is known to. */
	if (t->is_task)
		return false;
	/* Who polls an end that it holds itself is an event loop at rest, whatever it catches. */
	return state_catches_any(st, t->process) ||
	       (t->wait.reason == WAIT_POLL && !moves_bytes(st, t) &&
		       !is_written_by_others(st, pipe_id, st->processes[t->process].id));
}

/* read: else it writes, from this side of the pipe. */
static uint32_t on_pipe(struct providers *pr, uint32_t thread, int64_t pipe_id, int side, bool read)
{
	const struct state *st = pr->st;
	const struct state_thread *t = &st->threads[thread];
	uint32_t p = state_pipe(st, pipe_id);
	bool own;

	if (p == STATE_NONE)
		return LIVE;
	own = state_holds_other_end(st, &st->pipes[p], side, read, st->processes[t->process].id);
	if (own ? may_wake_itself(pr, t, pipe_id, read) : state_takes_requests(st, t->process))
		providers_maybe(pr, thread, MAYBE_SIGNAL);
	/* Whoever knows its name may come, and write to it or read what fills it. */
	if (st->pipes[p].is_fifo)
		providers_maybe(pr, thread, MAYBE_FIFO);
	if (pr->reopens & REOPENS_BY_PATH && !st->pipes[p].is_two_sided)
		providers_maybe(pr, thread, MAYBE_REOPEN);
	if (pr->reopens & REOPENS_BY_TAKING)
		providers_maybe(pr, thread, MAYBE_TAKE);
	if (st->pipes[p].is_pty && st->pipes[p].is_master[side])
		providers_maybe(pr, thread, MAYBE_PTY);
	if (st->pipes[p].is_tcp && !st->flights_seen && !st->instant)
		providers_maybe(pr, thread, MAYBE_FLIGHT);
	return opposite(pr, &st->pipes[p], side, read);
}

uint32_t providers_on_pipe_read(struct providers *pr, uint32_t thread)
{
	const struct state_wait *w = &pr->st->threads[thread].wait;

	return on_pipe(pr, thread, w->pipe_id, w->side, true);
}

uint32_t providers_on_pipe_write(struct providers *pr, uint32_t thread)
{
	const struct state_wait *w = &pr->st->threads[thread].wait;

	return on_pipe(pr, thread, w->pipe_id, w->side, false);
}

/* connect, where the queue of the socket that listens is full; who waits for anything else is a server at rest. */
uint32_t providers_on_socket(struct providers *pr, uint32_t thread)
{
	const struct state *st = pr->st;
	const struct state_thread *t = &st->threads[thread];
	uint32_t p = state_pipe(st, t->wait.pipe_id);

	if (p == STATE_NONE || !st->pipes[p].is_listener)
		return LIVE;
	if (state_catches_any(st, t->process))
		providers_maybe(pr, thread, MAYBE_SIGNAL);
	return opposite(pr, &st->pipes[p], 1, true);
}

/* ---- Sets ---- */

static uint32_t rest_on_polled(struct providers *pr, uint32_t thread, sqlite3_stmt *item)
{
	const char *kind = query_text(item, 0), *mode = query_text(item, 1);
	uint32_t p, node;

	if (!strcmp(kind, "process")) {
		p = state_process(pr->st, query_int(item, 4, 0));
		return p == STATE_NONE || !pr->st->processes[p].alive ? LIVE : pr->process_node[p];
	}
	if (!strcmp(kind, "eventfd"))
		return providers_on_eventfd(pr, thread);
	if (!strcmp(kind, "timerfd"))
		return providers_on_timerfd(pr, thread);
	if (!strcmp(kind, "signalfd"))
		return providers_on_signal(pr, thread);
	if (strcmp(kind, "pipe") != 0)
		return LIVE;
	node = fixpoint_add(&pr->graph, FIXPOINT_ANY);
	for (int read = 0; read < 2; read++) {
		/* An end that is asked for what it cannot do (asyncio: bytes to read from the end that it writes to) tells of errors only. */
		if (*mode && !strchr(mode, read ? 'r' : 'w'))
			continue;
		p = on_pipe(pr, thread, query_int(item, 2, 0), query_int(item, 3, 0) != 0, read);
		if (p == LIVE)
			return LIVE;
		fixpoint_edge(&pr->graph, node, p);
	}
	return node;
}

/* A set that is unknown, or empty, may be anything: live. */
uint32_t providers_on_poll(struct providers *pr, uint32_t thread)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	uint32_t node = fixpoint_add(&pr->graph, FIXPOINT_ANY);
	size_t n = 0;
	int rc = query_one(pr->st->db,
		"SELECT kind, mode, pipe_id, side, process_id FROM wait_on WHERE wait_id = ?1"
		" ORDER BY ordinal",
		pr->st->threads[thread].wait.id, &stmt, pr->st->why);

	for (; rc > 0; rc = query_step(stmt, pr->st->why), n++) {
		uint32_t item = rest_on_polled(pr, thread, stmt);

		if (item == LIVE)
			return LIVE;
		fixpoint_edge(&pr->graph, node, item);
	}
	return rc || !n ? LIVE : node;
}
