/* inspect_judge.c - the verdict about a snapshot. */
/* SPDX-License-Identifier: MIT */
/*
 * Whether an interval timer (alarm, setitimer) is armed is not shown by /proc, nor whether an existing POSIX timer
 * is. The verdict is therefore computed twice: as if none were armed, and as if each process that can have armed
 * one had. What stands both times is certain; what only stands the first time depends on there being none.
 */
#include "tracer/inspect.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "schema/names.h"
#include "schema/query.h"
#include "tracer/inspect_state.h"
#include "tracer/store/store.h"
#include "verdict/verdict.h"

/* A finding is the same if its members' waits are, in any order. */
static uint64_t finding_key(const struct finding *f)
{
	uint64_t key = 1;

	for (size_t i = 0; i < f->n_members; i++)
		if (f->members[i].wait_id)
			key += hash_mix((uint64_t)f->members[i].wait_id, 1, 2);
	return key;
}

static void add_explanation(struct finding *f, const char *sentence)
{
	const char *before = f->explanation ? f->explanation : "";
	bool ends_inside = *before && before[strlen(before) - 1] != '\n';
	char *text = xasprintf("%s%s%s", before, ends_inside ? "\n" : "", sentence);

	free(f->explanation);
	f->explanation = text;
}

static void make_conditional(struct finding *f, const char *why)
{
	static const char never[] = " and can never proceed";
	char *end = f->summary ? strstr(f->summary, never) : NULL;

	if (end && !end[sizeof never - 1])
		*end = '\0';
	f->certain = false;
	f->rule = "stuck";
	f->severity = "warning";
	add_explanation(f, why);
}

static void remove_finding(struct findings *f, size_t at)
{
	struct findings one = {.list = xmalloc(sizeof *one.list), .n = 1};

	one.list[0] = f->list[at];
	findings_free(&one);
	memmove(&f->list[at], &f->list[at + 1], (--f->n - at) * sizeof *f->list);
}

/* The finding of another evaluation that is of the same waits, or NULL. */
static const struct finding *find_same(const struct findings *f, const struct finding *wanted)
{
	for (size_t i = 0; i < f->n; i++)
		if (finding_key(&f->list[i]) == finding_key(wanted))
			return &f->list[i];
	return NULL;
}

/*
 * Says whether a member is a thread that the C library started for an expired timer (SIGEV_THREAD): the program's function is
 * called by the library in a thread that it made, so that three of its frames are below. It wants a lock: what the timer does
 * the next time will want it, too.
 */
static bool is_called_back(struct inspect *in, const struct finding *f, struct buf *why)
{
	static const char sql[] =
		"SELECT count(*) >= 3 FROM frame f JOIN site s ON s.id = f.site_id"
		" JOIN wait w ON w.stack_id = f.stack_id"
		" WHERE f.stack_id = ?1 AND w.id = ?2 AND w.reason = 'lock' AND s.module LIKE '%/libc.so%'"
		" AND f.depth > (SELECT max(g.depth) FROM frame g JOIN site q ON q.id = g.site_id"
		" WHERE g.stack_id = ?1 AND q.module NOT LIKE '%/libc.so%')";

	for (size_t i = 0; i < f->n_members; i++)
		if (f->members[i].stack_id &&
			query_pair(inspect_db(in), sql, f->members[i].stack_id,
				f->members[i].wait_id, 0, why))
			return true;
	return false;
}

/*
 * Evaluates once more with what-if rows; what is not certain then depends on their not being true. If what is likely
 * is assumed, what nothing is found of then rests, as an idle program does.
 */
static int assume(struct inspect *in, const char *what_if, bool is_likely, const char *words,
	struct findings *f, struct buf *why)
{
	struct findings again = {0};
	int rc = query_exec(inspect_db(in), "SAVEPOINT assumption", why);

	if (rc == 0)
		rc = query_exec(inspect_db(in), what_if, why);
	if (rc == 0)
		rc = verdict_stuck(inspect_db(in), INT64_MAX, in->all, &again, why);
	(void)store_exec(in->store, "ROLLBACK TO assumption; RELEASE assumption");
	if (rc)
		return rc;
	for (size_t i = f->n; i-- > 0;) {
		const struct finding *same = find_same(&again, &f->list[i]);

		if (!same && is_likely && !in->all && !is_called_back(in, &f->list[i], why))
			remove_finding(f, i);
		else if (f->list[i].certain && !(same && same->certain))
			make_conditional(&f->list[i], words);
		else if (!f->list[i].certain && !same)
			add_explanation(&f->list[i], words);
	}
	findings_free(&again);
	return 0;
}

/* Adds the timers that are armed; returns how many are those of processes here, or -EPERM if that cannot be known. */
static int add_timers(struct inspect *in, struct buf *why)
{
	const struct timer_armed *list = in->armed;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int n = in->n_armed, added = 0, rc;

	if (n <= 0)
		return n;
	rc = query_open(inspect_db(in),
		"INSERT INTO timer (process_id, kind, signo, armed_ns, expires_ns, interval_ns)"
		" SELECT id, 'real', 14, 0, ?2, ?3 FROM process WHERE pid = ?1",
		&stmt, why);
	for (int i = 0; !rc && i < n; i++) {
		query_bind_int(stmt, 1, list[i].pid);
		query_bind_int(stmt, 2, (int64_t)(list[i].expires - in->t0));
		query_bind_int(stmt, 3, (int64_t)list[i].interval);
		rc = query_run(stmt, why);
		if (!rc)
			added += sqlite3_changes(inspect_db(in));
	}
	return rc ? rc : added;
}

/* Adds the findings of a rule that needs nothing but a snapshot. */
static int add_rule(struct inspect *in, const char *rule, struct findings *f, struct buf *why)
{
	struct findings more = {0};
	int rc = verdict_all(inspect_db(in), INT64_MAX, rule, false, &more, why);

	if (rc)
		return rc;
	f->list = xreallocarray(f->list, f->n + more.n, sizeof *f->list);
	for (size_t i = 0; i < more.n; i++)
		f->list[f->n++] = more.list[i];
	more.n = 0;
	findings_free(&more);
	return 0;
}

/* Adds to an SQL statement one more row of an armed timer. */
static void add_possible(struct buf *sql, int64_t pid, const char *kind, int signo)
{
	buf_addf(sql, "%s ((SELECT id FROM process WHERE pid = %lld), '%s', %d, 0, %lld, 0)",
		sql->len ? "," : "", (long long)pid, kind, signo, 9000000000000000000ll);
}

/* An SQL statement that arms these timers, or NULL if there are none. */
static char *arm_sql(const struct buf *rows)
{
	return rows->len
		       ? xasprintf("INSERT OR IGNORE INTO timer (process_id, kind, signo, armed_ns,"
				   " expires_ns, interval_ns) VALUES %s",
				 rows->data)
		       : NULL;
}

/* Says whether the program takes a timer's signal, by a handler, by sigwait or from a signalfd. */
static bool is_caught(struct inspect *in, const struct posix_timer *timer, struct buf *why)
{
	/* The C library's thread waits for those that start threads. */
	return timer->signo == LIBC_TIMER ||
	       query_pair(inspect_db(in),
		       "SELECT 1 FROM handler h JOIN process p ON p.id = h.process_id WHERE p.pid = ?1 AND h.signo = ?2"
		       " AND h.disposition = 'handler' AND h.end_ns IS NULL"
		       " UNION SELECT 1 FROM wait w JOIN thread t ON t.id = w.thread_id JOIN process p ON p.id = t.process_id"
		       " WHERE p.pid = ?1 AND w.end_ns IS NULL AND w.awaits >> (?2 - 1) & 1",
		       timer->pid, timer->signo, 0, why);
}

/*
 * Linux shows which POSIX timers there are, to nobody whether they are armed. Who takes the signal of one means to
 * be woken by it.
 */
static int assume_posix_timers(struct inspect *in, bool caught, struct findings *f, struct buf *why)
{
	_cleanup_buf_ struct buf rows = BUF_INIT;
	_cleanup_free_ char *sql = NULL;

	for (size_t i = 0; i < in->n_posix_timers; i++)
		if (is_caught(in, &in->posix_timers[i], why) == caught)
			add_possible(
				&rows, in->posix_timers[i].pid, "posix", in->posix_timers[i].signo);
	sql = arm_sql(&rows);
	if (!sql)
		return query_failed(0, why);
	return assume(in, sql, caught,
		"It is not certain: one of the processes has a POSIX timer that could end the wait if it is armed, "
		"and the kernel does not show whether it is.",
		f, why);
}

/* Where the interval timers may not be read: a program that takes their signal expects one, perhaps from before an exec; another may. */
static int assume_interval_timers(
	struct inspect *in, bool caught, struct findings *f, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf rows = BUF_INIT;
	_cleanup_free_ char *sql = NULL;
	int rc = query_open(inspect_db(in),
		"SELECT p.pid FROM process p WHERE p.end_ns IS NULL AND ?1 = EXISTS (SELECT 1 FROM handler h"
		" WHERE h.process_id = p.id AND h.signo = 14 AND h.disposition = 'handler' AND h.end_ns IS NULL"
		" UNION SELECT 1 FROM wait w JOIN thread t ON t.id = w.thread_id"
		" WHERE t.process_id = p.id AND w.end_ns IS NULL AND w.awaits >> 13 & 1)",
		&stmt, why);

	if (!rc)
		query_bind_int(stmt, 1, caught);
	while (!rc && (rc = query_step(stmt, why)) > 0) {
		int64_t pid = query_int(stmt, 0, 0);

		if (caught || timers_possible((pid_t)pid))
			add_possible(&rows, pid, "real", 14);
		rc = 0;
	}
	sql = arm_sql(&rows);
	if (rc || !sql)
		return rc;
	return assume(in, sql, caught,
		"It is not certain: pptrace has no permission to check whether an armed timer or alarm would end it.",
		f, why);
}

/* What the timers that cannot be read may end. */
static int judge_timers(struct inspect *in, bool are_known, struct findings *f, struct buf *why)
{
	int rc = f->n ? assume_posix_timers(in, true, f, why) : 0;

	if (rc == 0 && f->n)
		rc = assume_posix_timers(in, false, f, why);
	if (rc == 0 && f->n && !are_known)
		rc = assume_interval_timers(in, true, f, why);
	if (rc == 0 && f->n && !are_known)
		rc = assume_interval_timers(in, false, f, why);
	for (size_t i = 0; rc == 0 && !are_known && i < f->n; i++)
		if (f->list[i].certain)
			add_explanation(&f->list[i],
				"pptrace has no permission to check whether an alarm was set before the exec; such an alarm would terminate the program.");
	return rc;
}

/* Of a core: as if every signal were caught. */
static const char any_handler_sql[] =
	"WITH RECURSIVE n(signo) AS (SELECT 1 UNION ALL SELECT signo + 1 FROM n WHERE signo < 31)"
	" INSERT INTO handler (process_id, signo, disposition, start_ns)"
	" SELECT p.id, signo, 'handler', 0 FROM process p, n WHERE signo NOT IN (9, 17, 19)";

static int judge(struct inspect *in, struct findings *ret, struct buf *why)
{
	int rc = verdict_stuck(inspect_db(in), INT64_MAX, in->all, ret, why), timers;

	if (rc || !ret->n)
		return rc;
	if (in->authority)
		return assume(in, any_handler_sql, false,
			"It is not certain: a core does not say for which signals the program has handlers, "
			"and one of them could have ended it.",
			ret, why);
	timers = add_timers(in, why);
	if (why->len)
		return -EIO;
	if (timers > 0) {
		findings_free(ret);
		rc = verdict_stuck(inspect_db(in), INT64_MAX, in->all, ret, why);
	}
	if (rc == 0)
		rc = judge_timers(in, timers >= 0, ret, why);
	if (rc == 0 && ret->n && in->limits.hidden)
		rc = assume(in, "UPDATE pipe SET outside = 3", false,
			"It is not certain: a related process cannot be read and may hold the other "
			"end of a pipe.",
			ret, why);
	return rc;
}

/* A stopped process is still deadlocked; the finding says that it is also stopped. */
static int note_stopped(struct inspect *in, struct findings *f, struct buf *why)
{
	static const char sql[] = "SELECT 1 FROM wait WHERE id = ?1 AND detail = 'stopped'";

	for (size_t i = 0; i < f->n; i++) {
		bool is_stopped = false;

		for (size_t k = 0; k < f->list[i].n_members && !is_stopped; k++)
			is_stopped = query_number(
				inspect_db(in), sql, f->list[i].members[k].wait_id, 0, why);
		if (is_stopped)
			add_explanation(&f->list[i],
				"It is stopped now (by a signal or a debugger); when continued it will wait for the same thing again.");
	}
	return query_failed(0, why);
}

int inspect_verdict(struct inspect *in, bool all, struct findings *ret, struct buf *why)
{
	int rc;

	in->all = all;
	rc = judge(in, ret, why);

	if (rc == 0)
		rc = note_stopped(in, ret, why);
	/* Unflushed output that others wait for. */
	if (rc == 0 && ret->n)
		rc = add_rule(in, "unflushed-output", ret, why);
	return rc ? rc : add_rule(in, "pipe-end-leak", ret, why);
}
