/* close.c - end a recording: findings, the last rows, a summary. */
/* SPDX-License-Identifier: MIT */
#include "tracer/private.h"

#include <errno.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/clock.h"
#include "schema/db.h"
#include "tracer/shim/shim.h"
#include "tracer/merge.h"
#include "tracer/model/model.h"
#include "tracer/store/store.h"
#include "tracer/detector.h"

#define DRAIN_MAX_NS 1500000000u
#define DRAIN_STEP_NS 200000

static uint64_t query_count(struct sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt;
	uint64_t n = 0;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return 0;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		n = (uint64_t)sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	return n;
}

static void summarise(struct tracer *t, struct tracer_summary *s)
{
	struct sqlite3 *db = store_db(t->store);

	s->processes = query_count(db, "SELECT count(*) FROM process");
	s->threads = query_count(db, "SELECT count(*) FROM thread");
	s->errors = query_count(db, "SELECT count(*) FROM finding WHERE severity = 'error'");
	s->warnings = query_count(db, "SELECT count(*) FROM finding WHERE severity = 'warning'");
	s->infos = query_count(db, "SELECT count(*) FROM finding WHERE severity = 'info'");
	s->records = t->records;
	s->lost = t->lost;
	s->skipped = model_skipped(t->model);
}

/* Findings are computed from the rows and stored beside them. */
static int find_all(struct tracer *t, struct buf *why)
{
	struct findings f = {0};
	int rc;

	/* The rules look rows up by thread and pipe. */
	if (sqlite3_exec(store_db(t->store), db_index_sql, NULL, NULL, NULL) != SQLITE_OK)
		return -EIO;
	rc = verdict_end(store_db(t->store), &t->told, &f, why);
	if (rc == 0)
		rc = verdict_store(store_db(t->store), &f);
	if (rc == 0 || f.list)
		findings_free(&f);
	return rc;
}

static int write_end(struct tracer *t, const struct tracer_outcome *outcome, struct buf *why)
{
	int rc;

	if (t->deaths)
		deaths_settle(t->deaths, tracer_emit, t);
	tracer_read_losses(t);
	tracer_drain_rest(t);
	rc = model_end(t->model, clock_now());
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

	while (t->until < until) {
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
	if (rc == 0)
		drain_up_to(t, now);
	if (rc == 0)
		rc = write_end(t, outcome, why);
	if (rc == 0)
		summarise(t, ret_summary);
	if (rc < 0 && !why->len)
		buf_adds(why, store_error(t->store) ? store_error(t->store) : strerror(-rc));
	detector_free(t->detector);
	t->detector = NULL;
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
