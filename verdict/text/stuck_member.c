/* stuck_member.c - says what one thread of a set waits for. */
/* SPDX-License-Identifier: MIT */
#include "verdict/text/stuck.h"

#include "base/buf.h"
#include "verdict/naming.h"
#include "verdict/place.h"
#include "schema/query.h"

static void add_children(struct buf *b, const struct state *st, const struct state_thread *t)
{
	size_t n = 0;

	if (t->wait.target_process_id) {
		buf_adds(b, "its child ");
		naming_process_at(b, st->db, t->wait.target_process_id, st->now_ns);
		return;
	}
	buf_adds(b, "any of its children");
	for (uint32_t c = st->processes[t->process].child; c != STATE_NONE && n < STUCK_LIST_MAX;
		c = st->processes[c].sibling) {
		buf_adds(b, n++ ? ", " : " (");
		naming_process_at(b, st->db, st->processes[c].id, st->now_ns);
	}
	buf_adds(b, n ? ")" : "");
}

static void add_lock_object(struct buf *b, const struct state *st, const struct state_wait *w)
{
	const struct state_lock *l = state_lock_of(st, w);

	if (l && l->kind == LOCK_RWLOCK)
		buf_adds(b, w->shared      ? "read lock of the "
			    : w->exclusive ? "write lock of the "
					   : "");
	naming_lock(b, st->db, w->lock_id);
}

/* "the exit of sleep[43] (fd 3)": a pidfd. */
static void add_end_of(struct buf *b, const struct state *st, int64_t process_id, int64_t fd)
{
	buf_adds(b, "the exit of ");
	naming_process_at(b, st->db, process_id, st->now_ns);
	buf_addf(b, " (fd %lld)", (long long)fd);
}

/* "eventfd (fd 5)" */
static void add_kind(struct buf *b, sqlite3_stmt *stmt)
{
	query_add_text(b, stmt, 1);
	buf_addf(b, " (fd %lld)", (long long)query_int(stmt, 2, -1));
}

/* " pipe 3 (a -> b), pipe 4 (b -> c) to write, eventfd (fd 5) and 2 more" */
static void add_set(struct buf *b, const struct state *st, const struct state_wait *w)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	size_t n = 0;
	int rc = query_one(st->db,
		"SELECT pipe_id, kind, min(fd), max(mode = 'w'), min(ordinal), max(process_id)"
		" FROM wait_on WHERE wait_id = ?1"
		" GROUP BY coalesce(pipe_id, -1 - ordinal) ORDER BY 5",
		w->id, &stmt, st->why);

	for (; rc > 0; rc = query_step(stmt, st->why)) {
		if (++n > STUCK_LIST_MAX)
			continue;
		buf_adds(b, n > 1 ? ", " : " ");
		if (!query_null(stmt, 0))
			naming_pipe(b, st->db, query_int(stmt, 0, 0));
		else if (!query_null(stmt, 5))
			add_end_of(b, st, query_int(stmt, 5, 0), query_int(stmt, 2, -1));
		else
			add_kind(b, stmt);
		if (query_int(stmt, 3, 0))
			buf_adds(b, " to write");
	}
	if (n > STUCK_LIST_MAX)
		buf_addf(b, " and %zu more", n - STUCK_LIST_MAX);
	if (!n)
		buf_adds(b, " descriptors that nobody else can make ready");
}

static void add_detail(struct buf *b, const struct state *st, const struct state_wait *w)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	const char *detail;

	if (query_one(st->db, "SELECT detail FROM wait WHERE id = ?1", w->id, &stmt, st->why) != 1)
		return;
	detail = query_text(stmt, 0);
	buf_add_printable(b, detail, strlen(detail));
	if (!*detail)
		buf_adds(b, wait_info(w->reason)->words);
}

/* Adds what replaces the %s of wait_info.sentence. */
static void add_object(struct buf *b, const struct state *st, const struct state_thread *t)
{
	const struct state_wait *w = &t->wait;

	switch (wait_info(w->reason)->object) {
	case OBJECT_LOCK:
		add_lock_object(b, st, w);
		break;
	case OBJECT_PIPE:
		if (w->pipe_id)
			naming_pipe(b, st->db, w->pipe_id);
		else
			add_detail(b, st, w);
		break;
	case OBJECT_THREAD:
		naming_thread_at(b, st->db, w->target_thread_id, st->now_ns);
		break;
	case OBJECT_PROCESS:
		naming_process_at(b, st->db, w->target_process_id, st->now_ns);
		break;
	case OBJECT_CHILDREN:
		add_children(b, st, t);
		break;
	case OBJECT_SET:
		add_set(b, st, w);
		break;
	case OBJECT_DETAIL:
		add_detail(b, st, w);
		break;
	case OBJECT_NONE:
		break;
	}
}

/* Says whether the call that a thread is blocked in writes. */
static bool writes(const struct state *st, const struct state_wait *w)
{
	return query_number(st->db,
		"SELECT 1 FROM wait WHERE id = ?1 AND syscall IN ('write', 'writev', 'pwrite64')",
		w->id, 0, st->why);
}

/* Says whether a set of descriptors is the two pipes of splice or tee. */
static bool is_spliced(const struct state *st, const struct state_wait *w)
{
	return query_number(st->db,
		"SELECT 1 FROM wait WHERE id = ?1 AND syscall IN ('splice', 'tee')", w->id, 0,
		st->why);
}

void stuck_words(struct buf *b, const struct state *st, const struct state_thread *t)
{
	const char *sentence = wait_info(t->wait.reason)->sentence, *at;
	const struct state_lock *l = state_lock_of(st, &t->wait);

	if (t->wait.reason == WAIT_COND && state_is_of_runtime(l))
		sentence = l->kind == LOCK_MONITOR ? "waits to be notified through the %s"
						   : "waits for the %s";
	if (t->wait.reason == WAIT_ONCE && !t->wait.target_thread_id && l) {
		buf_adds(b, "waits for the initialisation routine of the ");
		naming_lock(b, st->db, l->id);
		return;
	}
	if (t->wait.reason == WAIT_FUTEX && stuck_futex(b, st, &t->wait))
		return;
	if (t->wait.reason == WAIT_SIGNAL && t->wait.awaits) {
		buf_adds(b, "waits for a signal (");
		naming_signals(b, t->wait.awaits);
		buf_addc(b, ')');
		return;
	}
	if (t->wait.reason == WAIT_STOPPED && t->wait.target_process_id) {
		buf_adds(b, "is stopped by its debugger, ");
		naming_process_at(b, st->db, t->wait.target_process_id, st->now_ns);
		return;
	}
	if (t->wait.reason == WAIT_POLL && is_spliced(st, &t->wait))
		sentence = "moves bytes between%s";
	if (t->wait.reason == WAIT_EVENTFD && writes(st, &t->wait))
		sentence = "waits for somebody to read an eventfd that is full";
	if (!sentence)
		sentence = "waits for an event that no other thread can cause";
	at = strstr(sentence, "%s");
	if (!at) {
		buf_adds(b, sentence);
		return;
	}
	buf_add(b, sentence, (size_t)(at - sentence));
	add_object(b, st, t);
	buf_adds(b, at + 2);
	if (t->wait.repeats)
		buf_adds(b, " (with a time-out, again and again)");
}

/* Bytes for a pipe that sit in the waiting process's own buffers. */
static void add_unflushed(struct buf *b, const struct state *st, const struct state_thread *t)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_one(st->db,
		"SELECT fd, pending FROM stdio WHERE process_id = ?1 AND at = 'stuck' AND pending > 0"
		" AND pipe_id IS NOT NULL GROUP BY fd HAVING ts_ns = max(ts_ns) ORDER BY fd",
		st->processes[t->process].id, &stmt, st->why);

	for (; rc > 0; rc = query_step(stmt, st->why)) {
		buf_addf(b, ",\n    and has %lld unflushed bytes for ",
			(long long)query_int(stmt, 1, 0));
		if (query_int(stmt, 0, -1) == 1)
			buf_adds(b, "stdout");
		else
			buf_addf(b, "fd %lld", (long long)query_int(stmt, 0, 0));
		buf_adds(b, ": call fflush");
	}
}

void stuck_places(struct places *places, const struct state *st, const struct state_thread *t)
{
	const struct state_lock *l = state_lock_of(st, &t->wait);
	uint32_t taker = l ? state_thread(st, l->last_taker_id) : STATE_NONE;
	size_t n = 0;

	places_add(places, t->wait.site_id, t->wait.stack_id);
	for (uint32_t h = l ? l->first_holder : STATE_NONE; h != STATE_NONE && n++ < STUCK_LIST_MAX;
		h = st->holders[h].next)
		places_add(places, st->holders[h].site_id, st->holders[h].stack_id);
	if (taker != STATE_NONE && st->threads[taker].waits)
		places_add(
			places, st->threads[taker].wait.site_id, st->threads[taker].wait.stack_id);
}

void stuck_member(
	struct buf *b, const struct state *st, const struct state_thread *t, struct places *places)
{
	const struct state_wait *w = &t->wait;

	stuck_words(b, st, t);
	stuck_since(b, st, w->start_ns);
	places_describe(b, places, w->site_id, w->stack_id);
	stuck_providers(b, st, t, places);
	/* Whoever writes at the other end may wait for what this process has not flushed. */
	if (w->reason == WAIT_PIPE_READ)
		add_unflushed(b, st, t);
}
