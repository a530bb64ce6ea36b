/* providers_asked.c - a server that asks itself: who is to answer, while others wait for connections. */
/* SPDX-License-Identifier: MIT */
/*
 * A thread that waits for the answer to what it has sent through a connection rests on every process that has the other
 * side, and a server has a thread there that waits for connections. That one is live; but it seldom answers what another
 * thread has read. Where all that was sent was read by one thread, which wants a lock that the asking one has, the graph is
 * solved once more, with the asking thread resting on the one that read, and with those at rest who wait for connections. Who
 * has been in its wait since before anything was asked was not handed the question; whoever else of the server can go on
 * may have been.
 *
 * A snapshot does not know who has read what. There the one who wants a lock that the asking thread has is taken for the one who
 * was asked, and nobody else of the server may be able to go on but who only waits for connections.
 *
 * Of goroutines it is not recorded who reads. Their runtime says which one is to answer (wait.target_thread_id), where no other has
 * the connection at hand.
 */
#include "verdict/graph/private.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"
#include "schema/version.h"
#include "verdict/naming.h"

enum {
	CHAIN_MAX = 16,
	TALKS_MAX =
		16, /* so many connections are looked at, and for all of them QUERY_PIPE_IO_MOST rows */
};

/* A connection through which a thread asks, and its side of it. */
struct question {
	uint32_t pipe; /* STATE_NONE: it asks nobody */
	int side;
};

/* What was sent and read through a connection, as its side that asks sees it. */
struct talk {
	struct question of;
	bool is_read;      /* all that was sent, both ways */
	int64_t asked_ns;  /* when something was last sent to the other side */
	int64_t read_ns;   /* when something was last read there */
	int64_t reader_id; /* by which thread */
};

struct talks {
	struct talk list[TALKS_MAX];
	size_t n;
	int64_t rows_left;
};

/* What a thread reads from, alone or as the one descriptor that it polls, without a time-out. */
static struct question question_of(const struct state *st, uint32_t thread)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	const struct state_thread *t = &st->threads[thread];
	struct question q = {STATE_NONE, t->wait.side};

	if (!t->waits || t->wait.timed)
		return q;
	if (t->wait.reason == WAIT_PIPE_READ)
		q.pipe = state_pipe(st, t->wait.pipe_id);
	else if (t->wait.reason == WAIT_POLL &&
		 query_one(st->db,
			 "SELECT max(pipe_id), max(side) FROM wait_on WHERE wait_id = ?1"
			 " HAVING count(*) = 1 AND max(mode) = 'r'",
			 t->wait.id, &stmt, st->why) > 0) {
		q.pipe = state_pipe(st, query_int(stmt, 0, 0));
		q.side = query_int(stmt, 1, 0) != 0;
	}
	/* A connection, not a pair of sockets made for its own sake. */
	if (q.pipe != STATE_NONE && !st->pipes[q.pipe].is_connection)
		q.pipe = STATE_NONE;
	return q;
}

/* Says whether a process has the other side of what is asked through, and nobody outside has. */
static bool is_asked(const struct state *st, const struct question *q, uint32_t process)
{
	const struct state_pipe *p = &st->pipes[q->pipe];

	if (p->under_way || p->is_unaccepted || (q->side ? p->read_outside : p->write_outside))
		return false;
	for (uint32_t i = p->first_end; i < p->first_end + p->n_ends; i++)
		if (st->ends[i].side != q->side &&
			st->ends[i].process_id == st->processes[process].id)
			return true;
	return false;
}

static bool read_talk(const struct state *st, struct talk *ret)
{
	static const char sql[] =
		"SELECT total(bytes * (op = 'write' AND side = ?2)), total(bytes * (op = 'read' AND side <> ?2)),"
		" total(bytes * (op = 'write' AND side <> ?2)), total(bytes * (op = 'read' AND side = ?2)),"
		" max(end_ns * (op = 'read' AND side <> ?2)), max(%s * (op = 'write' AND side = ?2)) FROM pipe_io WHERE pipe_id = ?1 AND end_ns <= ?3";
	static const char last_sql[] =
		"SELECT thread_id FROM pipe_io WHERE pipe_id = ?1 AND op = 'read' AND side <> ?2 AND bytes > 0"
		" AND end_ns <= ?3 ORDER BY end_ns DESC LIMIT 1";
	_cleanup_stmt_ sqlite3_stmt *sums = NULL, *last = NULL;
	_cleanup_free_ char *asked = NULL;
	sqlite3_stmt *both[2];

	asked = xasprintf(sql, version_has(st->db, "pipe_io.count")
				       ? "iif(count > 1, end_ns, start_ns)"
				       : "start_ns");
	if (query_open(st->db, asked, &sums, st->why) ||
		query_open(st->db, last_sql, &last, st->why))
		return false;
	both[0] = sums;
	both[1] = last;
	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		query_bind_int(both[i], 1, st->pipes[ret->of.pipe].id);
		query_bind_int(both[i], 2, ret->of.side);
		query_bind_int(both[i], 3, st->now_ns);
	}
	if (query_step(sums, st->why) <= 0)
		return false;
	ret->asked_ns = query_int(sums, 5, 0);
	ret->read_ns = query_int(sums, 4, INT64_MAX);
	ret->is_read =
		query_int(sums, 0, 0) > 0 && query_int(sums, 0, 0) == query_int(sums, 1, 0) &&
		query_int(sums, 2, 0) == query_int(sums, 3, 0) && query_step(last, st->why) > 0;
	ret->reader_id = ret->is_read ? query_int(last, 0, 0) : 0;
	return true;
}

/* Returns what was said through a connection. Each is gone through once, few at all and none among very many rows; NULL: this one was not. */
static const struct talk *talk_of(
	const struct state *st, struct talks *talks, const struct question *q)
{
	struct talk *t;
	int64_t rows;

	for (size_t i = 0; i < talks->n; i++)
		if (talks->list[i].of.pipe == q->pipe && talks->list[i].of.side == q->side)
			return &talks->list[i];
	rows = query_number(st->db, "SELECT max(id) FROM pipe_io", 0, 0, st->why);
	if (talks->n == TALKS_MAX || rows > talks->rows_left)
		return NULL;
	talks->rows_left -= rows;
	t = &talks->list[talks->n];
	*t = (struct talk){.of = *q};
	if (!read_talk(st, t))
		return NULL;
	talks->n++;
	return t;
}

/*
 * Says whether a thread was the last to read at the other side, before it began to wait, and nothing was unread then in either
 * direction.
 */
static bool has_read_all(const struct talk *talk, const struct state_thread *answerer)
{
	return talk && talk->is_read && talk->read_ns <= answerer->wait.start_ns &&
	       talk->reader_id == answerer->id;
}

/* The thread that has the lock which a thread waits for, or STATE_NONE. */
static uint32_t owner_of(const struct state *st, uint32_t thread)
{
	const struct state_thread *t = &st->threads[thread];
	const struct state_lock *l = t->waits ? state_lock_of(st, &t->wait) : NULL;

	if (!l || t->wait.timed)
		return STATE_NONE;
	if (t->wait.reason == WAIT_SEM)
		return providers_sem_is_lock(l, t) ? state_thread(st, l->last_taker_id)
						   : STATE_NONE;
	if ((t->wait.reason != WAIT_LOCK && t->wait.reason != WAIT_FILE_LOCK) ||
		l->first_holder == STATE_NONE)
		return STATE_NONE;
	return state_thread(st, st->holders[l->first_holder].thread_id);
}

/* Says whether a thread waits for a lock of Python's, of which nobody knows who has it. */
static bool wants_ownerless(const struct state *st, uint32_t thread)
{
	const struct state_thread *t = &st->threads[thread];
	const struct state_lock *l = t->waits ? state_lock_of(st, &t->wait) : NULL;

	return l && !t->wait.timed && t->wait.reason == WAIT_SEM && !l->last_taker_id &&
	       l->first_holder == STATE_NONE &&
	       naming_runtime_kind(st->db, t->wait.lock_id) == RUNTIME_KIND_LOCK;
}

/* The only thread of a process that waits for an answer from that process, or STATE_NONE: then it has the lock, if anybody has. */
static uint32_t only_asker(const struct state *st, uint32_t process)
{
	uint32_t asker = STATE_NONE;

	for (uint32_t t = st->processes[process].first; t != STATE_NONE; t = st->threads[t].next) {
		struct question q = question_of(st, t);

		if (q.pipe == STATE_NONE || !is_asked(st, &q, process))
			continue;
		if (asker != STATE_NONE)
			return STATE_NONE;
		asker = t;
	}
	return asker;
}

/* Finds the thread that waits for the answer of one that wants a lock: it has that lock, or one further on. */
static uint32_t asker_of(
	const struct state *st, struct talks *talks, uint32_t answerer, int64_t *ret_asked_ns)
{
	uint32_t thread = answerer;

	for (int i = 0; i < CHAIN_MAX; i++) {
		const struct talk *talk;
		struct question q;

		thread = wants_ownerless(st, thread) ? only_asker(st, st->threads[thread].process)
						     : owner_of(st, thread);
		if (thread == STATE_NONE || thread == answerer)
			return STATE_NONE;
		q = question_of(st, thread);
		if (q.pipe == STATE_NONE)
			continue;
		if (!is_asked(st, &q, st->threads[answerer].process))
			return STATE_NONE;
		*ret_asked_ns = INT64_MIN;
		if (st->instant)
			return thread;
		talk = talk_of(st, talks, &q);
		if (!has_read_all(talk, &st->threads[answerer]))
			return STATE_NONE;
		*ret_asked_ns = talk->asked_ns;
		return thread;
	}
	return STATE_NONE;
}

/* Finds who is to answer a goroutine, as its runtime says. */
static bool find_told(struct providers *pr, uint32_t asker)
{
	const struct state *st = pr->st;
	const struct state_thread *t = &st->threads[asker];
	uint32_t answerer = t->waits && t->is_task && t->wait.reason == WAIT_PIPE_READ
				    ? state_thread(st, t->wait.target_thread_id)
				    : STATE_NONE;
	struct question q = {STATE_NONE, 0};

	if (answerer != STATE_NONE)
		q = question_of(st, asker);
	if (q.pipe == STATE_NONE || !is_asked(st, &q, st->threads[answerer].process))
		return false;
	pr->answerer[asker] = answerer;
	return true;
}

bool providers_find_answerers(struct providers *pr)
{
	const struct state *st = pr->st;
	struct talks talks = {.rows_left = QUERY_PIPE_IO_MOST};
	bool any = false;

	pr->asked_ns = INT64_MAX;
	pr->answerer = xmalloc((st->n_threads + 1) * sizeof *pr->answerer);
	for (size_t i = 0; i < st->n_threads; i++)
		pr->answerer[i] = STATE_NONE;
	for (size_t i = 0; i < st->n_threads; i++) {
		int64_t asked_ns = 0;
		uint32_t asker = STATE_NONE;

		if (st->threads[i].is_task)
			any |= find_told(pr, (uint32_t)i);
		else
			asker = asker_of(st, &talks, (uint32_t)i, &asked_ns);
		if (asker == STATE_NONE)
			continue;
		pr->answerer[asker] = (uint32_t)i;
		if (asked_ns < pr->asked_ns)
			pr->asked_ns = asked_ns;
		any = true;
	}
	return any;
}

bool providers_accepts(const struct providers *pr, uint32_t thread)
{
	static const char others[] =
		"SELECT EXISTS (SELECT 1 FROM wait_on o LEFT JOIN pipe p ON p.id = o.pipe_id WHERE o.wait_id = ?1"
		" AND coalesce(p.kind, '') <> 'listen' AND o.kind <> 'eventfd'"
		" AND (coalesce(p.kind, '') NOT IN ('pipe', 'socketpair') OR EXISTS (SELECT 1 FROM pipe_end e"
		"  WHERE e.pipe_id = p.id AND e.process_id <> ?2)))";
	const struct state *st = pr->st;
	const struct state_thread *t = &st->threads[thread];

	return pr->answerer && state_accepts(st, t) &&
	       !(st->instant && query_pair(st->db, others, t->wait.id, st->processes[t->process].id,
					0, st->why));
}

/* Says whether a thread of the server may have been handed what was asked, and can go on. */
static bool may_answer(const struct providers *pr, uint32_t thread)
{
	const struct state_thread *t = &pr->st->threads[thread];

	if (t->housekeeping || !pr->graph.nodes[thread].live)
		return false;
	return !t->waits || t->wait.start_ns >= pr->asked_ns;
}

/* Says whether a process may answer: by a thread that can go on, or one that a timer or a handler will start or run. */
static bool any_may_answer(const struct providers *pr, uint32_t process)
{
	const struct state_process *p = &pr->st->processes[process];

	if (p->first == STATE_NONE || p->timer_calls || p->alarm_rings || p->uring)
		return true;
	for (uint32_t t = p->first; t != STATE_NONE; t = pr->st->threads[t].next)
		if (may_answer(pr, t))
			return true;
	return false;
}

bool providers_is_answerless(const struct providers *pr, uint32_t asker)
{
	const struct state *st = pr->st;
	struct question q = question_of(st, asker);

	if (pr->answerer[asker] == STATE_NONE || q.pipe == STATE_NONE)
		return false;
	if (st->threads[asker].is_task)
		return true;
	for (size_t i = 0; i < st->n_processes; i++)
		if (st->processes[i].alive && is_asked(st, &q, (uint32_t)i) &&
			any_may_answer(pr, (uint32_t)i))
			return false;
	return true;
}
