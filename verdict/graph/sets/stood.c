/* stood.c - tell a set that stood still from one that was on its way. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/sets/private.h"

#include "base/clock.h"
#include "base/buf.h"
#include "schema/query.h"

/*
 * A thread that was woken counts as blocked until it runs, which on a busy machine takes a while. What has stood
 * still this long is not on its way. In the past each wait's end is known: there less time is enough.
 */
enum { TOGETHER_NOW_MS = 200, TOGETHER_PAST_MS = 50 };

/* Adds the latest time before the moment that sql yields for ?1 = id, ?2 = the moment. */
static void settle_by(const struct state *st, const char *sql, int64_t id, int64_t *settled_ns)
{
	int64_t ns = query_pair(st->db, sql, id, st->now_ns, INT64_MIN, st->why);

	if (ns > *settled_ns)
		*settled_ns = ns;
}

/*
 * When did the last one go who might have helped? Threads of the members'
 * processes that ended, holders that ended, ends that were closed: a process
 * that is just being killed loses one after the other.
 */
static int64_t settled(const struct state *st, const struct stuck_set *s)
{
	enum { LOOKED_AT = 64 };
	int64_t ns = s->since_ns, last_process = 0;
	bool from_anybody = false;

	for (size_t i = 0; i < s->n_members; i++)
		from_anybody |= wait_info(st->threads[s->members[i]].wait.reason)->from_anybody;
	if (from_anybody)
		settle_by(st, "SELECT max(end_ns) FROM thread WHERE end_ns <= ?2", 0, &ns);
	for (size_t i = 0; i < s->n_members && i < LOOKED_AT; i++) {
		const struct state_thread *t = &st->threads[s->members[i]];
		int64_t process = st->processes[t->process].id;
		uint32_t l = state_lock(st, t->wait.lock_id);

		if (process != last_process)
			settle_by(st,
				"SELECT max(end_ns) FROM thread WHERE process_id = ?1 AND end_ns <= ?2",
				process, &ns);
		last_process = process;
		if (t->wait.pipe_id)
			settle_by(st,
				"SELECT max(close_ns) FROM pipe_end WHERE pipe_id = ?1 AND close_ns <= ?2",
				t->wait.pipe_id, &ns);
		if (l == STATE_NONE)
			continue;
		if (st->locks[l].pshared)
			settle_by(st,
				"SELECT max(end_ns) FROM lock_user WHERE lock_id = ?1 AND end_ns <= ?2",
				t->wait.lock_id, &ns);
		for (uint32_t h = st->locks[l].first_holder; h != STATE_NONE;
			h = st->holders[h].next)
			if (state_thread(st, st->holders[h].thread_id) == STATE_NONE)
				settle_by(st,
					"SELECT end_ns FROM thread WHERE id = ?1 AND end_ns <= ?2",
					st->holders[h].thread_id, &ns);
	}
	return ns;
}

/*
 * Says whether a signal handler interrupted the wait: the signal was sent before that ended, and taken before the thread waited
 * again. A library's handler runs while its wait is open.
 */
static bool was_interrupted(const struct state *st, const struct state_thread *t)
{
	return query_pair(st->db,
		"SELECT 1 FROM wait w JOIN signal s ON s.process_id ="
		"  (SELECT process_id FROM thread WHERE id = w.thread_id)"
		" WHERE w.id = ?1 AND s.thread_id = w.thread_id AND s.disposition = 'handler'"
		" AND coalesce(s.sent_ns, w.start_ns) <= w.end_ns AND s.delivered_ns >= w.start_ns"
		" AND s.delivered_ns <= coalesce((SELECT min(n.start_ns) FROM wait n"
		"  WHERE n.thread_id = w.thread_id AND n.start_ns > w.end_ns), 9223372036854775807)"
		" LIMIT 1",
		t->wait.id, 0, 0, st->why);
}

/*
 * Says whether somebody had woken one of them by a call, who was about to go on. Waits for ends of threads, processes and
 * pipes are ended by the dying as well, and those for locks that the kernel gives back for the dead.
 */
static bool was_woken(const struct state *st, const struct stuck_set *s)
{
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_wait *w = &st->threads[s->members[i]].wait;
		uint32_t l = state_lock(st, w->lock_id);

		if (w->end_ns < st->cut_ns && w->waker_id &&
			w->waker_id != st->threads[s->members[i]].id &&
			wait_info(w->reason)->by_call &&
			(l == STATE_NONE || !(st->locks[l].robust || st->locks[l].is_pi)))
			return true;
	}
	return false;
}

/*
 * Says whether a thread that was cut short at last had left its wait before: it waited for something else afterwards (who was
 * stopped did not), or the signal that ended the process was its own doing (SIGPIPE, abort, a fault).
 */
static bool went_on(const struct state *st, const struct state_thread *t)
{
	return query_pair(st->db,
		"SELECT EXISTS (SELECT 1 FROM wait w JOIN wait n ON n.thread_id = w.thread_id AND n.start_ns >= w.end_ns"
		"   AND n.reason <> 'stopped' AND (n.reason <> w.reason OR n.lock_id IS NOT w.lock_id OR n.pipe_id IS NOT w.pipe_id)"
		"  WHERE w.id = ?1)"
		" OR EXISTS (SELECT 1 FROM wait w JOIN process q ON q.id = ?2 JOIN signal s ON s.process_id = q.id"
		"   AND s.signo = q.exit_signal AND s.sent_ns >= w.end_ns"
		"   AND (s.sender_id = w.thread_id OR (s.sender_id IS NULL AND s.thread_id = w.thread_id"
		"    AND s.source = 'kernel'))"
		"  WHERE w.id = ?1 AND q.end_kind = 'signal')",
		t->wait.id, st->processes[t->process].id, 0, st->why);
}

/*
 * When somebody outside first killed a member; INT64_MAX: nobody did. What the
 * others do afterwards follows from it. A process of the trace that kills soon, or by a timer, may have meant to help.
 */
static int64_t killed_from_outside(const struct state *st, const struct stuck_set *s)
{
	enum { SLACK_NS = 100000000 }; /* without probes in the kernel a death is noticed late */
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int64_t ns = INT64_MAX;

	if (query_open(st->db,
		    "SELECT 1 FROM process q WHERE q.id = ?1 AND q.end_kind = 'signal' AND NOT EXISTS"
		    " (SELECT 1 FROM signal s WHERE s.process_id = q.id AND s.signo = q.exit_signal"
		    "  AND s.sent_ns > q.end_ns - 2000000000 AND (s.sender_id IS NOT NULL"
		    "   OR s.source NOT IN ('kill', 'tty', 'queue')))",
		    &stmt, st->why) != 0)
		return ns;
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_thread *t = &st->threads[s->members[i]];

		if (!t->cut_short || t->wait.end_ns >= ns || went_on(st, t))
			continue;
		(void)sqlite3_reset(stmt);
		(void)sqlite3_bind_int64(stmt, 1, st->processes[t->process].id);
		if (query_step(stmt, st->why) == 1)
			ns = t->wait.end_ns;
	}
	return ns == INT64_MAX ? ns : ns - SLACK_NS;
}

static bool is_thread_of(const struct state *st, const struct stuck_set *s, int64_t thread_id)
{
	for (size_t i = 0; i < s->n_members; i++)
		if (st->threads[s->members[i]].id == thread_id)
			return true;
	return false;
}

/*
 * When a member was first sent the signal of which it died, by none of the set,
 * after so long that run has said what it saw; INT64_MAX: never. timeout(1) in
 * front of a command does so. A program that catches it may well pass it on, and then send it to itself.
 */
static int64_t killed_from_beside(const struct state *st, const struct stuck_set *s)
{
	enum { STOOD_NS = 1000000000 };
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int64_t ns = INT64_MAX;

	if (query_open(st->db,
		    "SELECT s.sent_ns, s.sender_id FROM signal s JOIN process q ON q.id = s.process_id"
		    " WHERE q.id = ?1 AND q.end_kind = 'signal' AND s.signo = q.exit_signal"
		    " AND s.source IN ('kill', 'tty', 'queue') AND s.sent_ns >= ?2"
		    " ORDER BY s.sent_ns LIMIT 1",
		    &stmt, st->why) != 0)
		return ns;
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_thread *t = &st->threads[s->members[i]];

		(void)sqlite3_reset(stmt);
		(void)sqlite3_bind_int64(stmt, 1, st->processes[t->process].id);
		(void)sqlite3_bind_int64(stmt, 2, s->since_ns);
		if (query_step(stmt, st->why) == 1 && query_int(stmt, 0, 0) < ns &&
			ns_sub(query_int(stmt, 0, 0), s->since_ns) >= STOOD_NS &&
			!is_thread_of(st, s, query_int(stmt, 1, 0)))
			ns = query_int(stmt, 0, 0);
	}
	return ns;
}

/* Says whether a member killed another one before the time, in a handler on top of its wait: then it could go on. */
static bool has_helped_itself(const struct state *st, const struct stuck_set *s, int64_t killed_ns)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;

	if (query_open(st->db,
		    "SELECT s.sender_id FROM signal s JOIN process q ON q.id = s.process_id"
		    " WHERE q.id = ?1 AND s.signo = q.exit_signal AND s.sender_id IS NOT NULL"
		    " AND s.sent_ns >= ?2 AND s.sent_ns < ?3",
		    &stmt, st->why) != 0)
		return false;
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_thread *t = &st->threads[s->members[i]];

		if (!t->cut_short)
			continue;
		(void)sqlite3_reset(stmt);
		(void)sqlite3_bind_int64(stmt, 1, st->processes[t->process].id);
		(void)sqlite3_bind_int64(stmt, 2, s->since_ns);
		(void)sqlite3_bind_int64(stmt, 3, killed_ns);
		while (query_step(stmt, st->why) == 1)
			if (is_thread_of(st, s, query_int(stmt, 0, 0)))
				return true;
	}
	return false;
}

/* Says whether a wait of the set ended by itself later on, before a member was killed: then it was no deadlock. */
static bool has_dissolved(const struct state *st, const struct stuck_set *s, int64_t killed_ns)
{
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_thread *t = &st->threads[s->members[i]];

		if (t->wait.end_ns < killed_ns && t->wait.end_ns != INT64_MAX &&
			(!t->cut_short || went_on(st, t)) && !was_interrupted(st, t))
			return true;
	}
	return false;
}

bool sets_stood(const struct state *st, struct stuck_set *s)
{
	int64_t until = st->last_ns, killed_ns = st->cut_ns, least;

	s->since_ns = INT64_MIN;
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_wait *w = &st->threads[s->members[i]].wait;

		if (w->start_ns > s->since_ns)
			s->since_ns = w->start_ns;
		if (w->end_ns < until)
			until = w->end_ns;
		s->reasons |= 1u << w->reason;
	}
	if (st->instant || until == INT64_MAX)
		return true;
	if (s->certain) {
		int64_t beside_ns = killed_from_beside(st, s);

		int64_t outside_ns = killed_from_outside(st, s);

		killed_ns = outside_ns < killed_ns ? outside_ns : killed_ns;
		killed_ns = beside_ns < killed_ns ? beside_ns : killed_ns;
	}
	if (has_dissolved(st, s, killed_ns) || was_woken(st, s) ||
		has_helped_itself(st, s, killed_ns))
		return false;
	least = 1000000 * (int64_t)(st->at_ns == STATE_END ? TOGETHER_NOW_MS : TOGETHER_PAST_MS);
	return ns_sub(until, s->since_ns) >= least && ns_sub(until, settled(st, s)) >= least;
}
