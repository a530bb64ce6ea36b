/* silent.c - look at the recorded processes from outside, where no record tells what they wait for. */
/* SPDX-License-Identifier: MIT */
#include "tracer/detect/silent.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "schema/query.h"
#include "schema/record.h"
#include "tracer/detect/import.h"
#include "tracer/inspect.h"
#include "verdict/verdict.h"

/* A busy program is looked at that seldom, and for a hundredth of the time at most. */
static const uint64_t busy_every_ns = 2000000000, share = 100;

/* But for the first looks: what goes wrong at the start is told soon, and the very first may come before anything has gone wrong. */
static const uint64_t first_share = 8, early_share = 20;
enum { FIRST_LOOKS = 3, EARLY_LOOKS = 10 };

/* What the recording itself shows is told before. */
static const uint64_t later_ns = 500000000;

enum state { STATE_IDLE, STATE_RUNNING, STATE_DONE };

struct silent {
	enum state state; /* changed from RUNNING by the thread, as the last thing it does */
	pthread_t thread;
	pid_t *pids;
	size_t n_pids;
	bool all, library_alone;
	uint64_t watch_ns;
	uint64_t begun_at, not_before;
	uint64_t all_at, raw_at; /* when a look at all, or at some, was last begun */
	unsigned looks;
	struct inspect *inspect; /* what the look saw; NULL: nothing */
	struct findings found;
	struct import *import;
	struct hash first; /* when sets with tasks were first seen, in ms */
};

struct silent *silent_new(uint64_t watch_ns, bool library_alone)
{
	struct silent *s = xcalloc(1, sizeof *s);

	s->watch_ns = watch_ns;
	s->library_alone = library_alone;
	s->begun_at = s->all_at = s->raw_at = clock_now();
	s->import = import_new();
	return s;
}

static void drop(struct silent *s)
{
	if (s->state != STATE_IDLE)
		(void)pthread_join(s->thread, NULL);
	s->state = STATE_IDLE;
	findings_free(&s->found);
	s->found = (struct findings){0};
	inspect_free(s->inspect);
	s->inspect = NULL;
	free(s->pids);
	s->pids = NULL;
}

void silent_free(struct silent *s)
{
	if (!s)
		return;
	drop(s);
	import_free(s->import);
	hash_done(&s->first);
	free(s);
}

bool silent_is_done(const struct silent *s)
{
	return __atomic_load_n(&s->state, __ATOMIC_ACQUIRE) == STATE_DONE;
}

const char *silent_blind(const struct silent *s)
{
	const struct buf *blind = s->inspect ? inspect_runtime_blind(s->inspect) : NULL;

	return blind && blind->len ? blind->data : NULL;
}

void silent_tell(struct silent *s, uint64_t ts, source_emit *emit, void *arg)
{
	if (s->inspect)
		import_emit(s->import,
			&(struct import_look){inspect_runtimes(s->inspect), inspect_db(s->inspect),
				&s->found, ts},
			emit, arg);
}

enum silent_due silent_due(const struct silent *s, const struct silent_times *at)
{
	uint64_t quiet = at->changed_at + at->watch_ns + later_ns;

	if (s->state != STATE_IDLE || at->now < s->not_before)
		return SILENT_NOBODY;
	if (at->now >= quiet && s->all_at < quiet)
		return SILENT_ALL;
	/* What they do makes no record with the library alone: a quiet recording says nothing of them, and one look may come too early. */
	if (at->now >= quiet)
		return at->now - s->raw_at >= busy_every_ns + at->watch_ns ? SILENT_RAW
									   : SILENT_NOBODY;
	if (at->changed_at > s->all_at && at->now - s->all_at >= busy_every_ns + at->watch_ns)
		return SILENT_ALL;
	/* What stands at two looks that far apart has stood long enough. */
	return at->changed_at > s->raw_at && at->now - s->raw_at >= at->watch_ns / 2
		       ? SILENT_RAW
		       : SILENT_NOBODY;
}

/* Waits of which a recording does not know who could end them; one of them, or any. */
#define DIM_WAITS                                                                                  \
	"SELECT EXISTS (SELECT 1 FROM wait w WHERE w.end_ns IS NULL AND w.timed = 0"               \
	" AND (?1 = 0 OR w.id = ?1) AND (w.reason IN ('tty', 'ipc') OR (w.reason = 'poll'"         \
	"  AND EXISTS (SELECT 1 FROM wait_on o WHERE o.wait_id = w.id AND o.kind = 'tty'))))"

/* Waits for a FIFO, of which no record tells that its name is gone. */
static const char fifo_waits[] =
	"SELECT EXISTS (SELECT 1 FROM wait w LEFT JOIN pipe p ON p.id = w.pipe_id WHERE w.end_ns IS NULL"
	" AND w.timed = 0 AND (w.reason = 'fifo-open' OR p.kind = 'fifo' OR EXISTS (SELECT 1 FROM wait_on o"
	"  JOIN pipe q ON q.id = o.pipe_id WHERE o.wait_id = w.id AND q.kind = 'fifo')))";

bool silent_is_wanted(struct sqlite3 *db)
{
	_cleanup_buf_ struct buf why = BUF_INIT;

	return db && (query_number(db, DIM_WAITS, 0, 0, &why) ||
			     query_number(db, fifo_waits, 0, 0, &why));
}

/* Says whether a member of a set that the look has found waits for a FIFO that has no name any more. */
static bool wants_unnamed(const struct silent *s, const struct finding *f, struct buf *why)
{
	for (size_t i = 0; i < f->n_members; i++)
		if (query_number(inspect_db(s->inspect),
			    "SELECT coalesce(p.unnamed, w.reason = 'fifo-open' AND w.detail IS NOT NULL)"
			    " OR EXISTS (SELECT 1 FROM wait_on o JOIN pipe q ON q.id = o.pipe_id"
			    "  WHERE o.wait_id = w.id AND q.unnamed)"
			    " FROM wait w LEFT JOIN pipe p ON p.id = w.pipe_id WHERE w.id = ?1",
			    f->members[i].wait_id, 0, why))
			return true;
	return false;
}

/* How many times as long as it took must pass before the next look. */
static uint64_t rest_after(unsigned looks)
{
	return looks < FIRST_LOOKS ? first_share : looks < EARLY_LOOKS ? early_share : share;
}

static void *look(void *arg)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct silent *s = arg;
	uint64_t took;

	if (inspect_new(s->pids, s->n_pids, &s->inspect, &why) == 0 &&
		inspect_verdict(s->inspect, s->all, &s->found, &why) != 0)
		s->found = (struct findings){0};
	took = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	s->not_before = s->begun_at + took * rest_after(s->looks++);
	__atomic_store_n(&s->state, STATE_DONE, __ATOMIC_RELEASE);
	return NULL;
}

void silent_begin(struct silent *s, const struct silent_subject *of, uint64_t now)
{
	s->begun_at = s->raw_at = now;
	if (of->due == SILENT_ALL)
		s->all_at = now;
	if (!of->n)
		return;
	s->pids = xcalloc(of->n, sizeof *s->pids);
	memcpy(s->pids, of->pids, of->n * sizeof *of->pids);
	s->n_pids = of->n;
	s->all = of->all;
	s->state = STATE_RUNNING;
	if (pthread_create(&s->thread, NULL, look, s) != 0) {
		s->state = STATE_IDLE;
		drop(s);
	}
}

/* The thread of the recording that a member of the look is; 0: it is not recorded. */
static int64_t recorded(
	struct silent *s, struct sqlite3 *db, const struct finding_member *m, struct buf *why)
{
	int64_t pid = query_number(inspect_db(s->inspect),
		"SELECT p.pid FROM thread t JOIN process p ON p.id = t.process_id WHERE t.id = ?1",
		m->thread_id, 0, why);
	int64_t tid = query_number(inspect_db(s->inspect), "SELECT tid FROM thread WHERE id = ?1",
		m->thread_id, 0, why);
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_open(db,
		"SELECT t.id FROM thread t JOIN process p ON p.id = t.process_id"
		" WHERE p.pid = ?1 AND t.tid = ?2 AND p.end_ns IS NULL AND t.end_ns IS NULL",
		&stmt, why);

	if (rc)
		return 0;
	if (tid >= (int64_t)RUNTIME_TASK_FIRST)
		tid = import_tid(s->import, (pid_t)tid);
	query_bind_int(stmt, 1, pid);
	query_bind_int(stmt, 2, tid);
	return query_step(stmt, why) > 0 ? query_int(stmt, 0, 0) : 0;
}

/* What the wait of a member is for, or where, in the recording; 0: that is not known. */
static int64_t of_wait(
	struct sqlite3 *db, const char *sql, const struct finding_member *m, struct buf *why)
{
	return m->wait_id ? query_number(db, sql, m->wait_id, 0, why) : 0;
}

/* Gives members the ids of the recording; false if one of them is not recorded. */
static bool translate(
	struct silent *s, struct sqlite3 *db, uint64_t t0, struct finding *f, struct buf *why)
{
	for (size_t i = 0; i < f->n_members; i++) {
		struct finding_member *m = &f->members[i];

		if (!m->wait_id && !m->thread_id)
			continue;
		m->thread_id = recorded(s, db, m, why);
		m->process_id = query_number(
			db, "SELECT process_id FROM thread WHERE id = ?1", m->thread_id, 0, why);
		m->wait_id = query_number(db,
			"SELECT id FROM wait WHERE thread_id = ?1 AND end_ns IS NULL", m->thread_id,
			0, why);
		m->pipe_id = 0;
		m->lock_id = of_wait(db, "SELECT lock_id FROM wait WHERE id = ?1", m, why);
		m->site_id = of_wait(db, "SELECT site_id FROM wait WHERE id = ?1", m, why);
		m->stack_id = of_wait(db, "SELECT stack_id FROM wait WHERE id = ?1", m, why);
		if (!m->thread_id)
			return false;
	}
	f->ts_ns += (int64_t)(inspect_t0(s->inspect) - t0);
	return f->shape != NULL;
}

/*
 * Says whether the recording itself could judge a set: what it knows of POSIX timers is better (/proc does not tell whether
 * one is armed; interval timers are read with their signal's mask), and without goroutines, dim waits and FIFOs that have lost their
 * name (unnamed: there is one) it knows of everything.
 */
static bool is_known_better(const struct silent *s, struct sqlite3 *db, const struct finding *f,
	bool unnamed, struct buf *why)
{
	static const char armed[] =
		"SELECT EXISTS (SELECT 1 FROM timer WHERE process_id = ?1 AND disarmed_ns IS NULL"
		" AND kind = 'posix' AND signo IS NOT NULL)";
	static const char raw[] = "SELECT raw_calls FROM process WHERE id = ?1";
	bool is_dim = s->library_alone || unnamed;

	for (size_t i = 0; i < f->n_members; i++) {
		const struct finding_member *m = &f->members[i];

		if (m->process_id && query_number(db, armed, m->process_id, 0, why))
			return true;
		is_dim = is_dim ||
			 (m->process_id && query_number(db, raw, m->process_id, 0, why)) ||
			 (m->wait_id && query_number(db, DIM_WAITS, m->wait_id, 0, why));
	}
	return !is_dim;
}

/* What a task waits for at a look, the same at each as long as it does. */
static uint64_t task_key(struct silent *s, const struct finding_member *m, struct buf *why)
{
	struct sqlite3 *db = inspect_db(s->inspect);
	int64_t lock = query_number(db,
		"SELECT l.address FROM wait w JOIN lock l ON l.id = w.lock_id WHERE w.id = ?1",
		m->wait_id, 0, why);
	int64_t line = query_number(db,
		"SELECT s.line FROM wait w JOIN site s ON s.id = w.site_id WHERE w.id = ?1",
		m->wait_id, 0, why);
	int64_t tid =
		query_number(db, "SELECT tid FROM thread WHERE id = ?1", m->thread_id, 0, why);

	return tid < (int64_t)RUNTIME_TASK_FIRST
		       ? 0
		       : hash_mix((uint64_t)import_tid(s->import, (pid_t)tid), (uint64_t)lock,
				 (uint64_t)line);
}

/*
 * Since when a set has been seen to stand, CLOCK_MONOTONIC in ns. When a task began to wait is not known: since the first
 * look that saw it wait for the same.
 */
static uint64_t stands_since(struct silent *s, const struct finding *f)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	uint64_t key = 0, since = 0;

	for (size_t i = 0; i < f->n_members; i++) {
		const struct finding_member *m = &f->members[i];
		uint64_t task = m->wait_id ? task_key(s, m, &why) : 0;
		uint64_t start =
			m->wait_id && !task
				? inspect_t0(s->inspect) +
					  (uint64_t)query_number(inspect_db(s->inspect),
						  "SELECT start_ns FROM wait WHERE id = ?1",
						  m->wait_id, 0, &why)
				: 0;

		key += task;
		since = start > since ? start : since;
	}
	if (!key)
		return inspect_t0(s->inspect) + (uint64_t)f->ts_ns;
	if (!hash_get(&s->first, key))
		(void)hash_set(&s->first, key, (void *)(uintptr_t)(s->begun_at / 1000000));
	key = (uint64_t)(uintptr_t)hash_get(&s->first, key) * 1000000;
	return key > since ? key : since;
}

/* Nothing needs to happen for what was too young to become old: there is another look then, whatever it costs if the set is new. */
static void look_again(struct silent *s, bool is_new)
{
	uint64_t later = clock_now() + s->watch_ns;

	s->begun_at = s->all_at = s->raw_at = 0;
	if (is_new || s->not_before < later)
		s->not_before = later;
}

/* Says whether all members wait for locks and ends of threads: of these the recording knows more, such as who gave a lock back before. */
static bool is_of_locks(struct sqlite3 *db, const struct finding *f, struct buf *why)
{
	static const char sql[] = "SELECT reason IN ('lock', 'join') FROM wait WHERE id = ?1";

	for (size_t i = 0; i < f->n_members; i++)
		if (!query_number(db, sql, f->members[i].wait_id, 0, why))
			return false;
	return true;
}

/* Says whether a set that was told has a member in common with this one, of which more is not to be said. */
static bool is_told(struct sqlite3 *db, const struct findings *reported, const struct finding *f,
	struct buf *why)
{
	for (size_t i = 0; i < reported->n; i++)
		for (size_t k = 0; k < reported->list[i].n_members; k++)
			for (size_t n = 0; n < f->n_members; n++)
				if (f->members[n].thread_id &&
					reported->list[i].members[k].thread_id ==
						f->members[n].thread_id &&
					(reported->list[i].certain || !f->certain ||
						is_of_locks(db, f, why)))
					return true;
	return false;
}

bool silent_take(struct silent *s, struct sqlite3 *db, uint64_t t0, const struct findings *reported,
	struct findings *ret)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct findings out = {0};
	bool is_young = false;
	size_t known = s->first.len;

	if (__atomic_load_n(&s->state, __ATOMIC_ACQUIRE) != STATE_DONE)
		return false;
	for (size_t i = 0; db && i < s->found.n; i++) {
		struct finding one = s->found.list[i];
		struct findings list = {&one, 1};
		/* Of who was woken meanwhile the look knows no more than that he waits now. */
		bool is_old = stands_since(s, &one) + s->watch_ns <= s->begun_at;
		bool unnamed = wants_unnamed(s, &one, &why);

		if (!translate(s, db, t0, &one, &why) || is_told(db, reported, &one, &why) ||
			is_known_better(s, db, &one, unnamed, &why))
			continue;
		if (is_old)
			verdict_remember(&out, &list);
		else
			is_young = true;
	}
	drop(s);
	if (is_young)
		look_again(s, s->first.len > known);
	*ret = out;
	return out.n > 0;
}
