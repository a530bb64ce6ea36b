/* state_find.c - find what has an id among what is alive, and who has an end of a pipe, and ask the database what is open. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/state.h"

#include "base/buf.h"
#include "schema/query.h"

static uint32_t find(const struct hash *h, int64_t id)
{
	uintptr_t value = (uintptr_t)hash_get(h, (uint64_t)id);

	return value ? (uint32_t)(value - 1) : STATE_NONE;
}

uint32_t state_thread(const struct state *st, int64_t id)
{
	return find(&st->thread_by_id, id);
}

uint32_t state_process(const struct state *st, int64_t id)
{
	return find(&st->process_by_id, id);
}

bool state_is_ancestor(const struct state *st, uint32_t ancestor, uint32_t process)
{
	uint32_t p = st->processes[process].parent;

	/* In a damaged file they may be a ring. */
	for (size_t n = 0; p != STATE_NONE && n < st->n_processes; n++) {
		if (p == ancestor)
			return true;
		p = st->processes[p].parent;
	}
	return false;
}

uint32_t state_lock(const struct state *st, int64_t id)
{
	return find(&st->lock_by_id, id);
}

uint32_t state_pipe(const struct state *st, int64_t id)
{
	return find(&st->pipe_by_id, id);
}

bool state_is_of_runtime(const struct state_lock *l)
{
	return l && (l->kind == LOCK_MONITOR || l->kind == LOCK_OBJECT);
}

const struct state_lock *state_lock_of(const struct state *st, const struct state_wait *w)
{
	uint32_t l = state_lock(st, w->lock_id);

	return l == STATE_NONE ? NULL : &st->locks[l];
}

bool state_accepts(const struct state *st, const struct state_thread *t)
{
	if (!t->waits || t->housekeeping)
		return false;
	if (t->is_task)
		return t->wait.reason == WAIT_SOCKET &&
		       query_number(st->db,
			       "SELECT 1 FROM wait WHERE id = ?1 AND detail LIKE 'listening socket%'",
			       t->wait.id, 0, st->why);
	if (t->wait.reason == WAIT_SOCKET)
		return query_number(st->db,
			"SELECT 1 FROM wait WHERE id = ?1 AND syscall IN ('accept', 'accept4')",
			t->wait.id, 0, st->why);
	return t->wait.reason == WAIT_POLL &&
	       query_number(st->db,
		       "SELECT EXISTS (SELECT 1 FROM wait_on o LEFT JOIN pipe p ON p.id = o.pipe_id"
		       " WHERE o.wait_id = ?1 AND (p.kind = 'listen' OR o.kind = 'socket'))",
		       t->wait.id, 0, st->why);
}

int state_query(struct state *st, const char *sql, const char *start, const char *end,
	sqlite3_stmt **ret, struct buf *why)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	const char *open = strstr(sql, "@open");
	int rc;

	buf_add(&text, sql, (size_t)(open - sql));
	/* The form for the end is the one that the partial indexes serve. */
	if (st->at_ns == STATE_END)
		buf_addf(&text, "%s IS NULL", end);
	else
		buf_addf(&text, "coalesce(%s, -1) <= ?1 AND (%s IS NULL OR %s > ?1)", start, end,
			end);
	buf_adds(&text, open + strlen("@open"));
	rc = query_open(st->db, text.data, ret, why);
	if (!rc && st->at_ns != STATE_END)
		(void)sqlite3_bind_int64(*ret, 1, st->at_ns);
	return rc;
}

/* ---- The ends of pipes ---- */

const struct state_pipe *state_listener_of(
	const struct state *st, const struct state_pipe *p, int side)
{
	uint32_t l = p->is_unaccepted && !side ? state_pipe(st, p->listener_id) : STATE_NONE;

	return l == STATE_NONE ? NULL : &st->pipes[l];
}

bool state_holds_other_end(
	const struct state *st, const struct state_pipe *p, int side, bool read, int64_t process_id)
{
	const struct state_pipe *listener = state_listener_of(st, p, side);

	if (listener) {
		p = listener;
		side = 1;
	}
	for (uint32_t i = p->first_end; i < p->first_end + p->n_ends; i++) {
		const struct state_end *e = &st->ends[i];

		if (e->process_id == process_id &&
			(p->is_two_sided || p->is_listener ? (e->side != side) != p->is_to_itself
				: read                     ? e->writes
							   : e->reads))
			return true;
	}
	return false;
}

bool state_has_other_end(const struct state *st, uint32_t thread, uint32_t process)
{
	const struct state_wait *w = &st->threads[thread].wait;
	uint32_t p = state_pipe(st, w->pipe_id);

	return p != STATE_NONE && state_holds_other_end(st, &st->pipes[p], w->side,
					  w->reason == WAIT_PIPE_READ, st->processes[process].id);
}

bool state_has_own_end(const struct state *st, uint32_t thread)
{
	return state_has_other_end(st, thread, st->threads[thread].process);
}
