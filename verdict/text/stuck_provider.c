/* stuck_provider.c - says who could end the wait of one thread of a set, and why that does not happen. */
/* SPDX-License-Identifier: MIT */
#include "verdict/text/stuck.h"

#include "base/buf.h"
#include "verdict/naming.h"
#include "verdict/place.h"
#include "schema/query.h"

void stuck_since(struct buf *b, const struct state *st, int64_t ns)
{
	if (st->instant)
		return; /* how long it has waited is not known */
	buf_adds(b, " since ");
	naming_time(b, ns);
}

/* ---- Locks and semaphores ---- */

/* ", now at bank.py:12 (report)": where the holder of a runtime's lock is itself waiting. */
static void add_whereabouts(
	struct buf *b, const struct state *st, int64_t thread_id, struct places *places)
{
	uint32_t t = state_thread(st, thread_id);

	if (t == STATE_NONE || !st->threads[t].waits)
		return;
	buf_adds(b, ", now");
	places_describe(b, places, st->threads[t].wait.site_id, st->threads[t].wait.stack_id);
}

/* A snapshot knows the process that has a file lock: which of its threads took it the kernel does not tell. */
static bool is_held_by_process(
	const struct state *st, const struct state_lock *l, const struct state_holder *h)
{
	return st->instant && l->kind == LOCK_FILE &&
	       query_number(st->db,
		       "SELECT count(*) > 1 FROM thread WHERE process_id = ?1 AND end_ns IS NULL",
		       h->process_id, 0, st->why);
}

/* "is held by thread 43 (right) of abba[40] since 0.1 s at abba.c:40 (right)"; the place may be unknown. */
static void add_holder(struct buf *b, const struct state *st, const struct state_lock *l,
	const struct state_holder *h, int64_t waiter_id, struct places *places)
{
	bool ended = state_thread(st, h->thread_id) == STATE_NONE;
	bool copied = !l->pshared && l->process_id &&
		      query_number(st->db, "SELECT process_id FROM thread WHERE id = ?1",
			      h->thread_id, l->process_id, st->why) != l->process_id;

	if (is_held_by_process(st, l, h)) {
		buf_adds(b, "is held by ");
		naming_process_at(b, st->db, h->process_id, st->now_ns);
	} else if (h->thread_id == waiter_id) {
		buf_adds(b, "it already holds itself");
	} else {
		buf_adds(b, copied ? "" : ended ? "was acquired by " : "is held by ");
		naming_thread_at(b, st->db, h->thread_id, st->now_ns);
		buf_adds(b, copied ? " held at the fork" : "");
	}
	if (!h->inferred) {
		stuck_since(b, st, h->acquire_ns);
		places_describe(b, places, h->site_id, h->stack_id);
		if (!h->stack_id && naming_is_in_header(st->db, h->site_id))
			buf_adds(b, " (run --stacks names the caller)");
	} else if (state_is_of_runtime(l) && h->thread_id != waiter_id) {
		add_whereabouts(b, st, h->thread_id, places);
	}
	if (copied)
		buf_adds(b, ": nobody in this process can release it");
	else if (ended)
		buf_adds(b, ", which ended without releasing it");
}

static void add_queued_writer(struct buf *b, const struct state *st, const struct state_lock *l)
{
	for (size_t i = 0; i < st->n_threads; i++) {
		const struct state_thread *t = &st->threads[i];

		if (!t->waits || t->wait.reason != WAIT_LOCK || t->wait.lock_id != l->id ||
			t->wait.shared)
			continue;
		buf_adds(b, ",\n    behind the writer ");
		naming_thread_at(b, st->db, t->id, st->now_ns);
		buf_adds(b, ", which is also waiting for it");
		return;
	}
}

/* Says whether this row is of a process that shares the description through which another has the file lock. */
static bool is_sharer(const struct state *st, const struct state_lock *l, uint32_t holder)
{
	const struct state_holder *h = &st->holders[holder];

	return l->kind == LOCK_FILE &&
	       query_number(st->db, "SELECT process_id FROM thread WHERE id = ?1", h->thread_id,
		       h->process_id, st->why) != h->process_id;
}

/* ", with b[43] and c[44]": who shares a file lock, since a fork. */
static void add_sharers(struct buf *b, const struct state *st, const struct state_lock *l,
	const struct state_holder *holder)
{
	size_t n = 0;

	for (uint32_t h = l->first_holder; h != STATE_NONE && n < STUCK_LIST_MAX;
		h = st->holders[h].next) {
		if (st->holders[h].thread_id != holder->thread_id || !is_sharer(st, l, h))
			continue;
		buf_adds(b, n++ ? ", " : ", and shared by ");
		naming_process_at(b, st->db, st->holders[h].process_id, st->now_ns);
	}
}

/* Says whether who has what a reader of Go's read-write mutex waits for is a writer that waits itself until the others have read. */
static bool is_behind_writer(
	const struct state *st, const struct state_thread *t, int64_t writer_id)
{
	enum { READERS = 16 }; /* where the mutex counts them: what such a writer waits for */
	static const char sql[] =
		"SELECT b.address - a.address FROM lock a JOIN lock b ON b.process_id = a.process_id"
		" WHERE a.id = ?1 AND b.id = ?2 AND a.type = 'sync.RWMutex' AND b.type = a.type";
	uint32_t writer = state_thread(st, writer_id);

	return writer != STATE_NONE && st->threads[writer].waits &&
	       query_pair(st->db, sql, t->wait.lock_id, st->threads[writer].wait.lock_id, 0,
		       st->why) == READERS;
}

static void add_holders(
	struct buf *b, const struct state *st, const struct state_thread *t, struct places *places)
{
	const struct state_lock *l = state_lock_of(st, &t->wait);
	int64_t writer;
	size_t n = 0;

	if (!l)
		return;
	writer = l->first_holder == STATE_NONE ? t->wait.target_thread_id
					       : st->holders[l->first_holder].thread_id;
	if (is_behind_writer(st, t, writer)) {
		buf_adds(b, ",\n    behind the writer ");
		naming_thread_at(b, st->db, writer, st->now_ns);
		buf_adds(b, ", which is also waiting for it");
		add_whereabouts(b, st, writer, places);
		return;
	}
	if (l->first_holder == STATE_NONE && t->wait.target_thread_id) {
		const struct state_holder hint = {
			.thread_id = t->wait.target_thread_id, .inferred = true};

		buf_adds(b, ",\n    which ");
		add_holder(b, st, l, &hint, t->id, places);
	}
	for (uint32_t h = l->first_holder; h != STATE_NONE; h = st->holders[h].next) {
		const struct state_holder *holder = &st->holders[h];

		/* A thread that upgrades its own shared lock to exclusive does not block itself. */
		if (is_sharer(st, l, h) ||
			(t->wait.replaces && holder->process_id == st->processes[t->process].id))
			continue;
		if (n++ == STUCK_LIST_MAX) {
			buf_adds(b, ",\n    and others");
			break;
		}
		buf_adds(b, n == 1 ? ",\n    which " : ",\n    and ");
		add_holder(b, st, l, holder, t->id, places);
		add_sharers(b, st, l, holder);
	}
	if (t->wait.shared && l->kind == LOCK_RWLOCK)
		add_queued_writer(b, st, l);
}

/* Says whether another thread of the process can go on: one that wakes up now and then, as a server's may that waits for connections. */
static bool can_other_go_on(const struct state *st, const struct state_thread *t)
{
	for (uint32_t i = st->processes[t->process].first; i != STATE_NONE;
		i = st->threads[i].next) {
		const struct state_thread *other = &st->threads[i];

		if (other != t && !other->housekeeping && !other->is_task &&
			(!other->waits || other->wait.timed || other->wait.repeats))
			return true;
	}
	return false;
}

static void add_nobody(struct buf *b, const struct state *st, const struct state_thread *t)
{
	if (state_lock_of(st, &t->wait)->is_never) {
		buf_adds(b, ",\n    which ");
		naming_release(b, st->db, t->wait.lock_id);
		return;
	}
	buf_adds(b, ",\n    and every thread that could ");
	naming_release(b, st->db, t->wait.lock_id);
	buf_adds(b, " is blocked");
}

static void add_sem_taker(
	struct buf *b, const struct state *st, const struct state_thread *t, struct places *places)
{
	const struct state_lock *l = state_lock_of(st, &t->wait);

	if (l && providers_sem_is_lock(l, t) && providers_is_copy(st, l, l->last_taker_id)) {
		buf_adds(b, ",\n    which ");
		naming_thread_at(b, st->db, l->last_taker_id, st->now_ns);
		buf_adds(b, " held at the fork: nobody in this process can release it");
		return;
	}
	switch (naming_runtime_kind(st->db, t->wait.lock_id)) {
	case RUNTIME_KIND_THREAD:
		return;
	case RUNTIME_KIND_LOCK:
		if (l && providers_sem_is_own(l, t)) {
			buf_adds(b, ",\n    which it already holds itself");
			return;
		}
		if (!l || !providers_sem_is_lock(l, t)) {
			if (!can_other_go_on(st, t))
				break;
			buf_adds(b, ",\n    which does not say who holds it");
			return;
		}
		buf_adds(b, ",\n    which is held by ");
		naming_thread_at(b, st->db, l->last_taker_id, st->now_ns);
		add_whereabouts(b, st, l->last_taker_id, places);
		return;
	case RUNTIME_KIND_RESULT:
	case RUNTIME_KIND_NEVER:
	case RUNTIME_KIND_OTHER:
	case RUNTIME_KIND_POOL:
	case RUNTIME_KIND_WORK:
	case RUNTIME_KIND_MONITOR:
		break;
	case RUNTIME_KIND_NONE:
		if (!l || !providers_sem_is_lock(l, t))
			break;
		buf_adds(b, ",\n    which was last acquired by ");
		naming_thread_at(b, st->db, l->last_taker_id, st->now_ns);
		return;
	}
	add_nobody(b, st, t);
}

/* ---- Pipes and sockets ---- */

static const char ends_sql[] =
	"SELECT e.process_id, group_concat(e.fd, ', ') FROM pipe_end e WHERE e.pipe_id = ?1"
	" AND e.open_ns <= ?2 AND (e.close_ns IS NULL OR e.close_ns > ?2)"
	" AND CASE WHEN (SELECT kind FROM pipe WHERE id = ?1) IN ('socketpair', 'unix', 'tcp', 'pty') THEN (e.side <> ?4) <> ?5"
	" ELSE instr(e.mode, ?3) END GROUP BY e.process_id ORDER BY e.process_id";

/* Which ends of which pipe to list: those opposite to this side or direction. */
struct end_question {
	int64_t pipe_id, side;
	const char *intro;
	bool is_to_itself; /* rather those of this side */
};

/* The question for a wait: for a connection not accepted yet it is the listener. */
static struct end_question ask_ends(
	const struct state *st, const struct state_wait *w, const char *other_end)
{
	uint32_t p = state_pipe(st, w->pipe_id);

	if (p != STATE_NONE && st->pipes[p].is_listener)
		return (struct end_question){.pipe_id = w->pipe_id, .intro = "which is open"};
	if (p != STATE_NONE && st->pipes[p].is_unaccepted && !w->side)
		return (struct end_question){.pipe_id = st->pipes[p].listener_id,
			.intro = "which has not been accepted yet: the listening socket is open"};
	if (p != STATE_NONE && st->pipes[p].is_to_itself)
		return (struct end_question){.pipe_id = w->pipe_id,
			.side = w->side,
			.intro = "whose socket is connected to itself, and open",
			.is_to_itself = true};
	return (struct end_question){.pipe_id = w->pipe_id,
		.side = w->side,
		.intro = p != STATE_NONE && st->pipes[p].is_two_sided ? "whose other side is open"
			 : *other_end == 'w'                          ? "whose write end is open"
								      : "whose read end is open"};
}

/* ", whose write end is open in a[1] (fd 4) and b[2] (fd 4, 5)" */
static void add_pipe_ends(
	struct buf *b, const struct state *st, const struct state_wait *w, const char *other_end)
{
	struct end_question ask = ask_ends(st, w, other_end);
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	size_t n = 0;

	if (query_open(st->db, ends_sql, &stmt, st->why) != 0)
		return;
	(void)sqlite3_bind_int64(stmt, 1, ask.pipe_id);
	(void)sqlite3_bind_int64(stmt, 2, st->now_ns);
	(void)sqlite3_bind_text(stmt, 3, other_end, 1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(stmt, 4, ask.side);
	(void)sqlite3_bind_int(stmt, 5, ask.is_to_itself);
	while (query_step(stmt, st->why) == 1 && n++ < STUCK_LIST_MAX) {
		if (n == 1)
			buf_addf(b, ",\n    %s in ", ask.intro);
		else
			buf_adds(b, ", ");
		naming_process_at(b, st->db, query_int(stmt, 0, 0), st->now_ns);
		if (!query_null(stmt, 1)) {
			buf_adds(b, " (fd ");
			buf_add_printable(b, query_text(stmt, 1), strlen(query_text(stmt, 1)));
			buf_addc(b, ')');
		}
	}
}

/* Who holds the other ends of what is polled, of the first few. */
static void add_polled_ends(struct buf *b, const struct state *st, const struct state_wait *w)
{
	enum { NAMED = 3 };
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_one(st->db,
		/* The same end may be polled twice: by select for what it says, and for errors. */
		"SELECT pipe_id, side, max(mode) FROM wait_on WHERE wait_id = ?1 AND pipe_id IS NOT NULL"
		" GROUP BY pipe_id, side ORDER BY min(ordinal)",
		w->id, &stmt, st->why);

	for (size_t n = 0; rc > 0 && n < NAMED; rc = query_step(stmt, st->why), n++) {
		const struct state_wait item = {
			.pipe_id = query_int(stmt, 0, 0), .side = query_int(stmt, 1, 0) != 0};

		add_pipe_ends(b, st, &item, strchr(query_text(stmt, 2), 'r') ? "write" : "read");
	}
}

/* ---- Ranks of MPI jobs ---- */

/* Names the peer rank ("rank 1 is solver[123]") and says if it has finished. */
static void add_rank(
	struct buf *b, const struct state *st, int64_t process_id, long long rank, bool first)
{
	int64_t end_ns = query_number(st->db, "SELECT mpi_end_ns FROM process WHERE id = ?1",
		process_id, INT64_MAX, st->why);
	uint32_t p = state_process(st, process_id);

	buf_addf(b, first ? ",\n    where rank %lld is " : ", rank %lld is ", rank);
	naming_process(b, st->db, process_id);
	if (end_ns <= st->now_ns)
		buf_adds(b, ", which has called MPI_Finalize");
	else if (p == STATE_NONE || !st->processes[p].alive)
		buf_adds(b, ", which has ended");
}

/* The ranks that messages are waited for from, and sent to. */
static void add_peers(struct buf *b, const struct state *st, const struct state_thread *t)
{
	_cleanup_stmt_ sqlite3_stmt *row = NULL;
	size_t n = 0;
	int rc = query_one(st->db,
		"SELECT DISTINCT o.id, n.peer FROM mpi_need n JOIN wait w ON w.id = n.wait_id JOIN thread h ON h.id = w.thread_id"
		" JOIN process p ON p.id = h.process_id JOIN process o ON o.mpi_job = p.mpi_job AND o.mpi_rank = n.peer"
		" WHERE n.wait_id = ?1 AND n.peer >= 0 AND n.seq IS NULL ORDER BY n.ordinal LIMIT 8",
		t->wait.id, &row, st->why);

	for (; rc > 0; rc = query_step(row, st->why))
		add_rank(b, st, query_int(row, 0, 0), (long long)query_int(row, 1, 0), !n++);
}

/* Which members have not made a collective call, and what they made last on that communicator. */
static const char missing_sql[] =
	"WITH need AS (SELECT n.seq, n.op, c.key, c.members, p.mpi_job AS job, p.mpi_size AS size FROM mpi_need n"
	"  JOIN mpi_comm c ON c.id = n.comm_id JOIN wait w ON w.id = n.wait_id JOIN thread h ON h.id = w.thread_id"
	"  JOIN process p ON p.id = h.process_id WHERE n.wait_id = ?1 AND n.seq IS NOT NULL ORDER BY n.ordinal LIMIT 1)"
	" SELECT o.id, o.mpi_rank, m.entered = need.seq, m.op, m.site_id FROM need JOIN process o ON o.mpi_job = need.job"
	"  AND (need.members IS NULL OR o.mpi_rank IN (SELECT value FROM json_each(need.members)))"
	"  LEFT JOIN (mpi_member m JOIN mpi_comm k ON k.id = m.comm_id) ON m.process_id = o.id AND k.key = need.key"
	" WHERE coalesce(m.entered, 0) < need.seq OR m.entered = need.seq AND m.op <> need.op ORDER BY o.mpi_rank";

static void add_missing(
	struct buf *b, const struct state *st, const struct state_thread *t, struct places *places)
{
	_cleanup_stmt_ sqlite3_stmt *row = NULL;
	size_t n = 0;
	int rc = query_one(st->db, missing_sql, t->wait.id, &row, st->why);

	for (; rc > 0; rc = query_step(row, st->why)) {
		if (++n > STUCK_LIST_MAX)
			continue;
		buf_addf(b, ",\n    which rank %lld, ", (long long)query_int(row, 1, 0));
		naming_process(b, st->db, query_int(row, 0, 0));
		buf_adds(b,
			query_int(row, 2, 0) ? ", has not called: it called " : ", has not called");
		if (!query_int(row, 2, 0) && !query_null(row, 3))
			buf_adds(b, ": its last call there was ");
		if (!query_null(row, 3)) {
			query_add_text(b, row, 3);
			places_describe(b, places, query_int(row, 4, 0), 0);
		}
	}
	if (n > STUCK_LIST_MAX)
		buf_addf(b, ",\n    and %zu more have not", n - STUCK_LIST_MAX);
}

void stuck_providers(
	struct buf *b, const struct state *st, const struct state_thread *t, struct places *places)
{
	const struct state_wait *w = &t->wait;
	const struct wait_info *info = wait_info(w->reason);

	if (info->object == OBJECT_LOCK && info->mode == MODE_ALL)
		add_holders(b, st, t, places);
	else if (w->reason == WAIT_SEM)
		add_sem_taker(b, st, t, places);
	else if (w->reason == WAIT_COND && state_is_of_runtime(state_lock_of(st, w)))
		add_nobody(b, st, t);
	else if (info->blocked)
		buf_addf(b, ",\n    and every thread %s is blocked", info->blocked);
	if (w->reason == WAIT_MPI) {
		add_peers(b, st, t);
		add_missing(b, st, t, places);
	}
	if (info->other_end)
		add_pipe_ends(b, st, w, info->other_end);
	else if (info->object == OBJECT_SET)
		add_polled_ends(b, st, w);
	else if (w->reason == WAIT_SOCKET)
		add_pipe_ends(
			b, st, &(struct state_wait){.pipe_id = w->pipe_id, .side = 1}, "write");
}
