/* close.c - end a recording: findings, the last rows, a summary. */
/* SPDX-License-Identifier: MIT */
#include "tracer/private.h"

#include <errno.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "schema/db.h"
#include "schema/query.h"
#include "tracer/shim/shim.h"
#include "tracer/merge.h"
#include "tracer/model/model.h"
#include "tracer/store/store.h"
#include "tracer/detect/detector.h"
#include "tracer/detect/silent.h"

#define DRAIN_MAX_NS 1500000000u
#define DRAIN_STEP_NS 200000

static int summarise(struct tracer *t, struct tracer_summary *s, struct buf *why)
{
	struct sqlite3 *db = store_db(t->store);

	s->processes = (uint64_t)query_number(db, "SELECT count(*) FROM process", 0, 0, why);
	s->threads = (uint64_t)query_number(db, "SELECT count(*) FROM thread", 0, 0, why);
	s->errors = (uint64_t)query_number(
		db, "SELECT count(*) FROM finding WHERE severity = 'error'", 0, 0, why);
	s->warnings = (uint64_t)query_number(
		db, "SELECT count(*) FROM finding WHERE severity = 'warning'", 0, 0, why);
	s->infos = (uint64_t)query_number(
		db, "SELECT count(*) FROM finding WHERE severity = 'info'", 0, 0, why);
	s->records = t->records;
	s->lost = t->lost;
	s->detail_since_ns = t->trim ? trim_since(t->trim) : 0;
	s->skipped = model_skipped(t->model);
	return query_failed(0, why);
}

/* Findings are computed from the rows and stored beside them. */
static int find_all(struct tracer *t, struct buf *why)
{
	struct findings f = {0};
	/* The rules look rows up by thread and pipe. */
	int rc = query_exec(store_db(t->store), db_index_sql, why);

	if (rc)
		return rc;
	rc = verdict_end(store_db(t->store), t->config.all, &t->reported, &f, why);
	if (rc == 0)
		rc = verdict_store(store_db(t->store), &f, why);
	if (rc == 0 || f.list)
		findings_free(&f);
	return rc;
}

/* A zombie does nothing any more, but its other threads may. */
static bool is_gone(uint64_t pid, uint64_t tid)
{
	_cleanup_free_ char *path =
		xasprintf("/proc/%u/task/%u/stat", (unsigned)pid, (unsigned)tid);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[512], *state;

	if (!f)
		return errno == ENOENT || errno == ESRCH;
	if (!fgets(line, sizeof line, f))
		return true;
	state = strrchr(line, ')');
	return state && state[1] && (state[2] == 'Z' || state[2] == 'X');
}

static int write_end(struct tracer *t, const struct tracer_outcome *outcome, struct buf *why)
{
	uint64_t now;
	int rc;

	if (t->deaths)
		deaths_settle(t->deaths, tracer_emit, t);
	tracer_read_losses(t);
	tracer_drain_rest(t);
	now = clock_now();
	if (t->lost)
		model_settle_gone(t->model, is_gone, now);
	tracer_note_clock(t);
	rc = model_finish(t->model, now);
	if (rc == 0)
		rc = store_commit(t->store);
	if (rc == 0)
		rc = find_all(t, why);
	if (rc == 0)
		rc = trace_row_end(store_db(t->store), outcome);
	return rc;
}

/*
 * Drains until all that happened before a time is there, however much that is.
 * A record whose writer was interrupted is waited for, but not forever: the
 * source gives it up after a second.
 */
static void drain_up_to(struct tracer *t, uint64_t until)
{
	uint64_t moved = clock_now();

	while (t->until < until && !t->is_short) {
		uint64_t before = t->until;
		size_t n = tracer_drain(t);
		uint64_t now = clock_now();

		if (n || t->until > before)
			moved = now;
		else if (now - moved > DRAIN_MAX_NS)
			return;
		else
			(void)clock_nanosleep(
				CLOCK_MONOTONIC, 0, &(struct timespec){0, DRAIN_STEP_NS}, NULL);
	}
}

int tracer_close(struct tracer *t, const struct tracer_outcome *outcome,
	struct tracer_summary *ret_summary, struct buf *why)
{
	uint64_t now = clock_now();
	int rc = t->error;

	*ret_summary = (struct tracer_summary){
		.backend = t->choice.backend, .duration_ns = (int64_t)(now - t->t0)};
	urgency_end(&t->urgency);
	for (size_t i = 0; rc == 0 && i < t->choice.n; i++)
		if (t->attached[i] && t->choice.sources[i]->settle)
			t->choice.sources[i]->settle(t->choice.sources[i]);
	if (rc == 0)
		drain_up_to(t, clock_now());
	if (rc == 0)
		rc = write_end(t, outcome, why);
	if (rc == 0)
		rc = summarise(t, ret_summary, why);
	if (rc < 0 && !why->len)
		buf_adds(why, store_error(t->store) ? store_error(t->store) : strerror(-rc));
	detector_free(t->detector);
	t->detector = NULL;
	silent_free(t->silent);
	t->silent = NULL;
	if (store_close(t->store) < 0 && rc == 0) {
		buf_adds(why, "the file could not be completed");
		rc = -EIO;
	}
	t->store = NULL;
	tracer_free(t);
	return rc;
}

const char *tracer_error(const struct tracer *t)
{
	return store_error(t->store);
}
