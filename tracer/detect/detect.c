/* detect.c - when to look for deadlocks while a recording grows, and what to read before that. */
/* SPDX-License-Identifier: MIT */
#include "tracer/private.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "schema/db.h"
#include "schema/query.h"
#include "schema/record.h"
#include "tracer/detect/details.h"
#include "tracer/detect/detector.h"
#include "tracer/model/model.h"
#include "tracer/detect/silent.h"

#define MS 1000000ull

enum {
	EVALUATE_EVERY_MS = 100, /* at most so often is the graph evaluated */
	EVALUATE_SHARE = 20,     /* and no more than 1/20 of the time is spent on it */
	/* the longest for which the graph takes something to be under way: a signal, with some slack */
	GRACE_MS = 2200,
};

/* Says whether the graph is worth another evaluation now. */
static bool evaluation_is_due(struct tracer *t, uint64_t now)
{
	uint64_t oldest, grace, owed = details_owed(t->details);

	/* What only had to become older is not left standing for as long as a large graph is left alone: once. */
	if (t->ripe_at && t->until >= t->ripe_at && !t->is_hurried)
		return true;
	if (now < t->evaluate_not_before)
		return false;
	oldest = model_oldest_wait(t->model);
	if (!oldest || now < oldest || now - oldest < (uint64_t)t->config.watch_ns)
		return false;
	/*
	 * Without records nothing changes but the age of waits, until the youngest is old enough, and that of what was
	 * taken to be under way: once more when no grace is given any longer; and what the runtimes of languages tell when they
	 * are asked again.
	 */
	grace = t->changed_at + GRACE_MS * MS;
	return t->evaluated_at <= t->changed_at + (uint64_t)t->config.watch_ns ||
	       (now > grace && t->evaluated_at <= grace) || (owed && now >= owed);
}

/* The recording says it, once however often it happens. */
static void detection_failed(struct tracer *t, const char *why)
{
	_cleanup_free_ char *line = xasprintf("the search for deadlocks failed at times: %s", why);

	tracer_blind(t, line);
}

/* An evaluation has ended: the next begins so late that little of the time is spent on them. */
static void evaluation_ended(struct tracer *t, uint64_t now)
{
	uint64_t took = detector_cost_ns(t->detector), ripe = detector_ripe_ns(t->detector);
	uint64_t owed =
		t->is_hurried && t->evaluate_not_before > now ? t->evaluate_not_before - now : 0;

	t->is_evaluating = false;
	if (detector_error(t->detector))
		detection_failed(t, detector_error(t->detector));
	t->ripe_at = ripe ? t->t0 + ripe : 0;
	/* The details joined sets or parted them, or one was too young: they are searched for again, though nothing has happened since. */
	if (detector_has_more(t->detector) || ripe)
		t->evaluated_at = 0;
	t->evaluate_not_before = now + EVALUATE_EVERY_MS * MS;
	if (now + owed + took * EVALUATE_SHARE > t->evaluate_not_before)
		t->evaluate_not_before = now + owed + took * EVALUATE_SHARE;
}

/* What the readers of languages did not understand is in the recording from then on. */
static void note_blind(struct tracer *t)
{
	struct buf *blind = details_blind(t->details);

	if (blind->len)
		tracer_blind(t, blind->data);
	buf_reset(blind);
}

/* Asks the runtimes of languages what threads wait for. Returns 0, or -errno of the store. */
static int read_waits(struct tracer *t)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	bool any = false;

	if (details_waits(t->details, detector_reader(t->detector), t->config.watch_ns, t->until,
		    tracer_feed, t, &any, &why) < 0)
		detection_failed(t, why.data);
	note_blind(t);
	return any ? tracer_commit(t) : 0;
}

struct pids {
	pid_t *list;
	size_t n, cap;
};

static void add_pid(void *arg, pid_t pid, const char *name)
{
	struct pids *p = arg;

	(void)name;
	ARRAY_GROW(p->list, p->n, p->cap);
	p->list[p->n++] = pid;
}

/* The processes of languages that schedule what they run themselves, where the kernel's probes see only the threads. */
static void add_raw(struct tracer *t, struct pids *pids)
{
	static const char sql[] = "SELECT pid FROM process WHERE raw_calls AND end_ns IS NULL";
	_cleanup_buf_ struct buf why = BUF_INIT;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc = detector_reader(t->detector)
			 ? query_open(detector_reader(t->detector), sql, &stmt, &why)
			 : -1;

	while (!rc && query_step(stmt, &why) > 0)
		add_pid(pids, (pid_t)query_int(stmt, 0, 0), "");
}

/* Reads the places of those who wait, what sits in their buffers, and who has the files that are locked. Returns 0, or a negative number (see why). */
static int read_details(struct tracer *t, struct sqlite3 *db, struct buf *why)
{
	model_file_locks_examine(t->model, t->until);
	return details_read(t->details, db, t->until, tracer_feed, t, why);
}

/* Records them. Without it places are missing, no more. */
static void record_details(struct tracer *t, struct sqlite3 *db)
{
	_cleanup_buf_ struct buf why = BUF_INIT;

	(void)read_details(t, db, &why);
	(void)tracer_commit(t);
}

static void begin_look(struct tracer *t, const struct silent_times *at, enum silent_due due)
{
	struct pids pids = {.n = 0};

	if (due == SILENT_ALL &&
		(t->choice.shim_only || (at->now - t->changed_at >= at->watch_ns &&
						silent_is_wanted(detector_reader(t->detector)))))
		tracer_each_alive(t, add_pid, &pids);
	else
		add_raw(t, &pids);
	silent_begin(t->silent, &(struct silent_subject){pids.list, pids.n, due, t->config.all},
		at->now);
	free(pids.list);
}

/* What no record tells is looked for from outside. Returns true, and what that has found. */
static bool look_from_outside(struct tracer *t, uint64_t now, struct findings *ret)
{
	const struct silent_times at = {now, t->changed_at, (uint64_t)t->config.watch_ns};
	enum silent_due due;

	if (!t->silent)
		return false;
	if (silent_is_done(t->silent)) {
		if (silent_blind(t->silent))
			tracer_blind(t, silent_blind(t->silent));
		silent_tell(t->silent, t->until, tracer_feed, t);
		if (tracer_commit(t) != 0)
			return false;
		if (silent_take(
			    t->silent, detector_reader(t->detector), t->t0, &t->reported, ret)) {
			verdict_remember(&t->reported, ret);
			detector_told(t->detector, ret);
			record_details(t, detector_reader(t->detector));
			return true;
		}
	}
	due = silent_due(t->silent, &at);
	/* Usually there is none of those for whom SILENT_RAW is: no commit for them. */
	if (due == SILENT_RAW || (due == SILENT_ALL && tracer_commit(t) == 0))
		begin_look(t, &at, due);
	return false;
}

/*
 * Finds where threads wait for what runs on other hosts. Nothing here says that they are stuck, which would ask for the places; all recordings together may.
 */
static int read_peers(struct tracer *t)
{
	static const char sql[] =
		"SELECT EXISTS (SELECT 1 FROM wait w JOIN pipe p ON p.id = w.pipe_id WHERE w.end_ns IS NULL"
		" AND w.stack_id IS NULL AND w.site_id IS NULL AND p.kind = 'tcp' AND p.outside <> 0)";
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct sqlite3 *db = t->config.peers ? detector_reader(t->detector) : NULL;

	if (!db || query_number(db, sql, 0, 0, &why) == 0)
		return 0;
	if (details_read(t->details, db, t->until, tracer_feed, t, &why) < 0)
		detection_failed(t, why.data);
	return tracer_commit(t);
}

bool tracer_detect(struct tracer *t, struct findings *ret)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	uint64_t now = clock_now();

	if (!t->detector || t->error || t->is_short)
		return false;
	switch (detector_state(t->detector)) {
	case DETECTOR_RUNNING:
		return false;
	case DETECTOR_SUSPECTS:
		/* What no record tells of those who wait. */
		if (read_details(t, detector_reader(t->detector), &why) < 0)
			detection_failed(t, why.data);
		if (tracer_commit(t) == 0)
			detector_again(t->detector);
		return false;
	case DETECTOR_FOUND:
		evaluation_ended(t, now);
		detector_take(t->detector, ret);
		verdict_remember(&t->reported, ret);
		return true;
	case DETECTOR_IDLE:
		break;
	}
	if (t->is_evaluating)
		evaluation_ended(t, now);
	if (look_from_outside(t, now, ret))
		return true;
	if (evaluation_is_due(t, now) && tracer_commit(t) == 0 && read_waits(t) == 0 &&
		read_peers(t) == 0) {
		/* What is evaluated is as old as the watermark: until that is far enough the youngest wait is too young. */
		t->evaluated_at = t->until;
		t->is_evaluating = true;
		t->is_hurried = now < t->evaluate_not_before;
		detector_begin(t->detector);
	}
	return false;
}

struct sqlite3 *tracer_reader(struct tracer *t)
{
	return t->detector ? detector_reader(t->detector) : NULL;
}

const struct findings *tracer_reported(const struct tracer *t)
{
	return &t->reported;
}

struct sqlite3 *tracer_look(struct tracer *t, struct buf *why)
{
	struct sqlite3 *db = NULL;
	_cleanup_free_ char *error = NULL;

	if (tracer_commit(t) != 0)
		return NULL;
	if (db_open_own(t->path, &db, &error) < 0) {
		buf_adds(why, error);
		return NULL;
	}
	record_details(t, db);
	return db;
}
