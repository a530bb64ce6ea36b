/* stuck.c - deadlock and stuck: the sets that cannot proceed, now or when somebody ended them. */
/* SPDX-License-Identifier: MIT */
/*
 * A set that stands at the end of the trace is seen there. One that was ended
 * from outside (a signal; exit() called by a thread that was not part of it)
 * is seen just before that: for every process that ended while threads of it
 * were blocked, the graph is evaluated once more for the moment before the
 * first of them was cut short in its wait.
 */
#include "verdict/rules/stuck.h"

#include "base/buf.h"
#include "base/clock.h"
#include "schema/query.h"
#include "verdict/naming.h"
#include "verdict/finding.h"
#include "verdict/rules/interrupted.h"
#include "verdict/rules/rules.h"
#include "verdict/text/stuck.h"

#include <errno.h>
#include <string.h>

enum {
	MOMENTS_MIN = 8,        /* at least so many moments are examined */
	MOMENTS_MAX = 64,       /* at most so many */
	MOMENTS_NS = 700000000, /* and for no longer than this */
};

/* A moment just before a process ended. */
struct moment {
	int64_t at_ns;
	bool signalled; /* by a signal: then conditional sets count too */
	bool looked_at; /* somebody looks what is under way in TCP connections */
	const struct interruption
		*by; /* somebody outside interrupted a program that ended later; NULL: nobody */
};

struct moments {
	struct moment *list;
	size_t n, cap;
	struct interruptions interruptions;
};

static int compare_moments(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	if (x->signalled != y->signalled)
		return y->signalled - x->signalled;
	return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

/*
 * For each process that ended with threads of it blocked, the moment before the
 * end began: before the first wait was broken off, before the first thread was
 * cut short, before the one that called exit ended, before the
 * signal was sent. A timer that kills its process is not a rescue from outside.
 *
 * And the moment before the last signal that a handler took in a process that
 * then exited: a handler may end what it finds stuck.
 */
static const char moments_sql[] =
	/* Materialised, so that pipe_io below is looked through for the few that are left. */
	"WITH late AS MATERIALIZED (SELECT t.process_id AS p, coalesce(w.end_ns, t.end_ns) AS e,"
	"   w.end_ns AS wend, w.pipe_id AS pipe_id, w.thread_id AS thread_id,"
	/* Of each thread the last one: SQLite takes the other columns from the row of the maximum. */
	"   max(w.start_ns)"
	"  FROM wait w JOIN thread t ON t.id = w.thread_id"
	"  WHERE w.reason IN (@reasons) AND w.timed <> 1"
	/* Said of the wait alone, so that SQLite drops most waits before it looks further. */
	"   AND (w.end_ns IS NULL OR w.end_ns - w.start_ns >= 50000000)"
	"   AND t.end_ns IS NOT NULL AND t.cut_short = 1"
	"   AND (w.end_ns IS NULL OR (w.end_ns - w.start_ns >= 50000000"
	"        AND w.end_ns >= t.end_ns - 1000000000)) GROUP BY w.thread_id),"
	/* A read that came back with bytes or end-of-file, and a write that was done, were not broken off. */
	/* One pass over pipe_io, which has no index, for all threads together, and none where none waited for a pipe. */
	" done AS MATERIALIZED (SELECT i.thread_id AS id FROM pipe_io i"
	"  CROSS JOIN late w ON w.thread_id = i.thread_id AND w.pipe_id = i.pipe_id"
	"  WHERE EXISTS (SELECT 1 FROM late WHERE pipe_id IS NOT NULL)"
	"    AND i.thread_id IN (SELECT thread_id FROM late) AND i.bytes IS NOT NULL"
	"    AND (i.op = 'read' OR i.bytes >= i.requested)"
	"    AND i.start_ns <= w.wend AND i.end_ns >= w.wend),"
	" broken AS MATERIALIZED (SELECT p, e FROM late WHERE thread_id NOT IN (SELECT id FROM done)),"
	" last AS (SELECT p, max(e) AS e FROM broken GROUP BY p),"
	/* SIGSTOP: who kills a whole tree stops it first. */
	" killed AS (SELECT z.id AS p, min(s.sent_ns) AS at FROM process z"
	"  JOIN signal s ON s.process_id = z.id AND s.signo IN (z.exit_signal, 19)"
	"   AND s.sent_ns BETWEEN z.end_ns - 2000000000 AND z.end_ns"
	"  WHERE z.end_kind = 'signal' GROUP BY z.id)"
	" SELECT CASE q.end_kind WHEN 'signal' THEN"
	/* The clock may have read the end of the wait before it read the time of the signal. */
	"  coalesce(min(k.at, coalesce(min(iif(b.e >= k.at - 100000000, b.e, NULL)), k.at)),"
	"   min(min(b.e),"
	"    (SELECT min(o.end_ns) FROM thread o WHERE o.process_id = q.id AND o.cut_short = 1))"
	/* Without probes in the kernel a death is noticed late: others have gone on by then. */
	"   - iif((SELECT backend = 'shim' FROM trace), 100000000, 0))"
	" ELSE min(min(b.e),"
	"  coalesce((SELECT min(o.end_ns) FROM thread o WHERE o.process_id = q.id AND o.cut_short = 1),"
	"   min(b.e)),"
	"  coalesce((SELECT max(o.end_ns) FROM thread o WHERE o.process_id = q.id"
	"   AND o.cut_short IS NOT 1), min(b.e))) END - 1,"
	" q.end_kind = 'signal'"
	" FROM broken b JOIN last l ON l.p = b.p"
	" JOIN process q ON q.id = b.p LEFT JOIN killed k ON k.p = q.id WHERE b.e >= l.e - 2000000000 AND q.end_ns <= ?1"
	/* The only thread of a process that called exit was not cut short. */
	" AND (q.end_kind = 'signal' OR (SELECT count(*) FROM thread o WHERE o.process_id = q.id) > 1)"
	" AND NOT EXISTS (SELECT 1 FROM signal s WHERE s.process_id = q.id"
	"  AND s.signo = q.exit_signal AND s.source = 'timer')"
	" AND NOT EXISTS (SELECT 1 FROM timer m WHERE m.process_id = q.id AND m.signo = q.exit_signal"
	"  AND abs(m.expires_ns - q.end_ns) < 1000000000)"
	" GROUP BY b.p"
	" UNION ALL SELECT max(s.sent_ns) - 1, 0 FROM signal s JOIN process q ON q.id = s.process_id"
	" WHERE s.disposition = 'handler' AND s.source IN ('kill', 'tty', 'queue')"
	" AND q.end_kind = 'exit' AND q.end_ns <= ?1 AND q.end_ns - s.sent_ns < 5000000000"
	" GROUP BY q.id";

/* A thread that waits for a signal was not cut short by one. */
static bool can_be_stuck(const struct wait_info *info)
{
	return info->mode != MODE_LIVE && !info->by_signal;
}

/* A family that is killed together dies one after the other: the moment is before the first of them. */
static int before_family(struct sqlite3 *db, int64_t *at_ns, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_one(db,
		"SELECT min(end_ns) FROM process WHERE end_kind = 'signal'"
		" AND end_ns BETWEEN ?1 - 100000000 AND ?1",
		*at_ns, &stmt, why);

	if (rc > 0 && !query_null(stmt, 0))
		*at_ns = ns_sub(query_int(stmt, 0, *at_ns), 1);
	return rc < 0 ? rc : 0;
}

/* A family is interrupted at once: one moment stands for signals that came together. */
static void add_interruption(struct moments *m, const struct interruption *in)
{
	const int64_t together_ns = 50000000;

	for (size_t i = 0; i < m->n; i++)
		if (m->list[i].by && ns_sub(in->at_ns, m->list[i].at_ns) < together_ns)
			return;
	ARRAY_GROW(m->list, m->n, m->cap);
	m->list[m->n++] = (struct moment){
		.at_ns = ns_sub(in->at_ns, VERDICT_BEFORE_SIGNAL_NS), .signalled = true, .by = in};
}

static int find_moments(struct sqlite3 *db, int64_t at_ns, struct moments *ret, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_free_ char *sql = wait_sql(moments_sql, can_be_stuck);
	int rc = query_one(db, sql, at_ns, &stmt, why);

	for (; rc > 0; rc = query_step(stmt, why)) {
		ARRAY_GROW(ret->list, ret->n, ret->cap);
		ret->list[ret->n++] = (struct moment){
			.at_ns = query_int(stmt, 0, 0), .signalled = query_int(stmt, 1, 0) != 0};
	}
	if (!rc)
		rc = interruptions_find(db, &ret->interruptions, why);
	for (size_t i = 0; !rc && i < ret->interruptions.n; i++)
		add_interruption(ret, &ret->interruptions.list[i]);
	for (size_t i = 0; !rc && i < ret->n; i++)
		if (ret->list[i].signalled && !ret->list[i].by)
			rc = before_family(db, &ret->list[i].at_ns, why);
	if (ret->n)
		qsort(ret->list, ret->n, sizeof *ret->list, compare_moments);
	return rc;
}

static bool has_wait(const struct finding *f, int64_t wait_id)
{
	for (size_t i = 0; i < f->n_members; i++)
		if (f->members[i].wait_id == wait_id)
			return true;
	return false;
}

/*
 * Drops the last finding if an earlier one has one of its waits: what is stuck
 * stays so, and the end of one member only makes others look abandoned.
 */
static void drop_repeated(struct findings *fs, const struct interruption *by)
{
	struct finding *last = &fs->list[fs->n - 1];

	for (size_t i = 0; i + 1 < fs->n; i++)
		for (size_t k = 0; k < last->n_members; k++)
			if (has_wait(&fs->list[i], last->members[k].wait_id)) {
				/* While it stood somebody looked what was under way. */
				if (last->certain && fs->list[i].flight) {
					const struct finding other = fs->list[i];

					fs->list[i] = *last;
					*last = other;
				}
				finding_drop(fs);
				/* Of two moments that are the same one says what ended the set. */
				if (by && !strstr(fs->list[i].explanation, interruption_words))
					interruption_note(&fs->list[i], by);
				return;
			}
}

/* Adds the sets of one moment. conditional: 0 none, 1 those that are shown by default, 2 all. */
static int find_at(struct sqlite3 *db, const struct moment *at, bool open_only, int conditional,
	struct findings *fs, struct buf *why)
{
	struct state st;
	struct stuck_sets sets = {0};
	int rc = state_load(&st, db, at->at_ns, open_only, why);

	if (at->by)
		st.cut_ns = ns_add(at->at_ns, 1);
	st.flights_seen = at->looked_at;
	if (!rc)
		rc = sets_find(&st, &sets, why);
	for (size_t i = 0; !rc && i < sets.n; i++) {
		if (!sets.list[i].certain && conditional < 1 + sets.list[i].hidden)
			continue;
		stuck_describe(&st, &sets.list[i], fs);
		if (at->by)
			interruption_note(&fs->list[fs->n - 1], at->by);
		drop_repeated(fs, at->by);
	}
	sets_done(&sets);
	state_done(&st);
	return rc;
}

static int find_ended(
	struct sqlite3 *db, int64_t at_ns, bool all, struct findings *fs, struct buf *why)
{
	struct moments m = {0};
	int rc = find_moments(db, at_ns, &m, why);
	uint64_t deadline = clock_now() + MOMENTS_NS;

	for (size_t i = 0;
		!rc && i < m.n && (i < MOMENTS_MIN || (i < MOMENTS_MAX && clock_now() < deadline));
		i++)
		rc = find_at(
			db, &m.list[i], !m.list[i].by, m.list[i].signalled ? 1 + all : 0, fs, why);
	free(m.list);
	return rc;
}

int stuck_find(struct sqlite3 *db, int64_t at_ns, bool all, bool ended, struct findings *ret,
	struct buf *why)
{
	struct findings fs = {0};
	int rc = 0;

	if (ended && at_ns == STATE_END)
		rc = find_ended(db, at_ns, all, &fs, why);
	if (!rc)
		rc = find_at(db, &(struct moment){.at_ns = at_ns, .looked_at = !ended}, false,
			1 + all, &fs, why);
	rc = query_failed(rc, why);
	if (rc) {
		findings_free(&fs);
		return rc;
	}
	findings_sort(&fs);
	*ret = fs;
	return 0;
}

/* How the waits of a set ended. */
struct ending {
	bool killed;      /* a signal ended a member */
	bool waits;       /* no wait has ended */
	bool known;       /* the recording has waits of it */
	int64_t first_ns; /* when the first one ended, INT64_MAX: none */
};

static int find_ending(
	struct sqlite3 *db, const struct finding *f, struct ending *ret, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = query_open(db,
		"SELECT p.end_kind IS 'signal', w.end_ns FROM wait w"
		" JOIN thread t ON t.id = w.thread_id JOIN process p ON p.id = t.process_id"
		" WHERE w.id = ?1",
		&stmt, why);

	*ret = (struct ending){.waits = true, .first_ns = INT64_MAX};
	for (size_t i = 0; !rc && i < f->n_members; i++) {
		int64_t end_ns;

		if (!f->members[i].wait_id)
			continue;
		(void)sqlite3_reset(stmt);
		(void)sqlite3_bind_int64(stmt, 1, f->members[i].wait_id);
		rc = query_step(stmt, why);
		if (rc <= 0)
			continue;
		rc = 0;
		end_ns = query_int(stmt, 1, INT64_MAX);
		ret->known = true;
		ret->killed |= query_int(stmt, 0, 0) != 0;
		ret->waits &= end_ns == INT64_MAX;
		ret->first_ns = end_ns < ret->first_ns ? end_ns : ret->first_ns;
	}
	return rc;
}

/*
 * What was reported while it stood stays found if it stood until somebody outside interrupted or killed a program;
 * what is certain also if a signal of whoever ended a member. A conditional set that dissolved before had its
 * condition come true.
 */
int stuck_keep(
	struct sqlite3 *db, const struct findings *reported, struct findings *fs, struct buf *why)
{
	/* The clock may have read the end of a wait before it read the time of the signal; a library notices late. */
	const int64_t slack_ns = 100000000;
	struct interruptions in = {.n = 0};
	int rc = reported->n ? interruptions_find(db, &in, why) : 0;

	for (size_t i = 0; !rc && i < reported->n; i++) {
		const struct finding *f = &reported->list[i];
		const struct interruption *by;
		struct ending ending;

		if (!f->shape) /* a rule that is evaluated at the end as well */
			continue;
		rc = find_ending(db, f, &ending, why);
		if (rc)
			break;
		by = interruptions_between(&in, f->ts_ns,
			ending.waits ? INT64_MAX : ns_add(ending.first_ns, slack_ns));
		/* Nobody knows when what was seen from outside alone dissolved. */
		if (!f->certain && !ending.known)
			continue;
		if (!by && !(f->certain && (ending.killed || ending.waits)))
			continue;
		finding_copy(fs, f);
		if (by)
			interruption_note(&fs->list[fs->n - 1], by);
		drop_repeated(fs, by);
	}
	return rc;
}

int verdict_stuck(
	struct sqlite3 *db, int64_t at_ns, bool all, struct findings *ret, struct buf *why)
{
	struct findings fs = {0};
	int rc = stuck_find(db, at_ns, all, false, &fs, why);

	if (!rc && fs.n)
		rc = naming_intact(db, why);
	if (rc)
		findings_free(&fs);
	else
		*ret = fs;
	return rc;
}

static int take(struct rule_context *ctx, const char *rule)
{
	for (size_t i = 0; i < ctx->stuck->n; i++)
		if (!strcmp(ctx->stuck->list[i].rule, rule))
			finding_copy(ctx->out, &ctx->stuck->list[i]);
	return 0;
}

int rule_deadlock(struct rule_context *ctx)
{
	return take(ctx, "deadlock");
}

int rule_stuck(struct rule_context *ctx)
{
	return take(ctx, "stuck");
}
