/* timeline.c - tests of how a timeline is laid out. */
/* SPDX-License-Identifier: MIT */
#include "viewer/timeline/timeline.h"

#include <sqlite3.h>

#include "base/mem.h"
#include "tests/unit/test.h"
#include "tests/unit/viewer/recording.h"
#include "viewer/load/load.h"
#include "viewer/load/resource.h"

static struct timeline *load_timeline(const struct trace *t, sqlite3 *db, size_t columns)
{
	struct timeline_options opt = {.until = TIME_NEVER, .columns = columns};
	_cleanup_free_ char *why = NULL;
	struct timeline *tl = timeline_new(t, db, &opt, &why);

	ASSERT_STR(why, NULL);
	return tl;
}

TEST(timeline_folds_waits_below_a_column)
{
	sqlite3 *db = recording_of(TRACE_ROW
		"INSERT INTO process(id, pid, name, start_ns) VALUES (1, 1, 'x', 0);"
		"INSERT INTO thread(id, tid, process_id, start_ns, is_main) VALUES (1, 1, 1, 0, 1);"
		"WITH RECURSIVE c(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM c WHERE i < 99)"
		"INSERT INTO wait(thread_id, start_ns, end_ns, reason) SELECT 1, i * 5000, i * 5000 + 1000, 'sleep' FROM c;"
		"INSERT INTO wait(thread_id, start_ns, end_ns, reason) VALUES (1, 600000, 800000, 'lock')");
	struct trace *t = recording_load(db);
	struct timeline *tl = load_timeline(t, db, 100);
	const struct lane *l = &tl->lanes[0];

	ASSERT_INT(tl->n_lanes, 1);
	ASSERT_INT(l->n, 2);
	ASSERT_INT(l->spans[0].kind, SPAN_WAIT);
	ASSERT_INT(l->spans[0].reason, WAIT_LOCK);
	ASSERT_INT(l->spans[1].kind, SPAN_WAITS);
	ASSERT_INT(l->spans[1].count, 100);
	ASSERT_INT(l->spans[1].sum, 100000);
	ASSERT_INT(tl->folded_waits, 100);
	timeline_free(tl);
	trace_free(t);
	(void)sqlite3_close(db);
}

TEST(timeline_puts_overlapping_holds_on_levels)
{
	sqlite3 *db = recording_of(TRACE_ROW
		"INSERT INTO process(id, pid, name, start_ns) VALUES (1, 1, 'x', 0);"
		"INSERT INTO thread(id, tid, process_id, start_ns, is_main) VALUES (1, 1, 1, 0, 1);"
		"INSERT INTO lock_hold(lock_id, thread_id, acquire_ns, release_ns) VALUES"
		" (1, 1, 0, 500000), (2, 1, 100000, 400000), (3, 1, 600000, NULL)");
	struct trace *t = recording_load(db);
	struct timeline *tl = load_timeline(t, db, 100);
	const struct lane *l = &tl->lanes[0];

	ASSERT_INT(l->levels, 2);
	ASSERT_INT(l->spans[0].level, 0);
	ASSERT_INT(l->spans[1].level, 1);
	ASSERT_INT(l->spans[2].level, 0);
	ASSERT(l->spans[2].endless);
	ASSERT_INT(l->spans[2].to, 1000000);
	timeline_free(tl);
	trace_free(t);
	(void)sqlite3_close(db);
}

TEST(timeline_pairs_writes_with_reads)
{
	sqlite3 *db = recording_of(TRACE_ROW
		"INSERT INTO process(id, pid, name, start_ns) VALUES (1, 1, 'w', 0), (2, 2, 'r', 0);"
		"INSERT INTO thread(id, tid, process_id, start_ns, is_main) VALUES (1, 1, 1, 0, 1), (2, 2, 2, 0, 1);"
		"INSERT INTO pipe(id, kind) VALUES (1, 'pipe');"
		"INSERT INTO pipe_io(pipe_id, thread_id, op, start_ns, end_ns, bytes) VALUES"
		" (1, 1, 'write', 100000, 110000, 5), (1, 1, 'write', 200000, 210000, 5),"
		" (1, 2, 'read', 300000, 310000, 7), (1, 2, 'read', 500000, 510000, 3)");
	struct trace *t = recording_load(db);
	struct timeline *tl = load_timeline(t, db, 100);

	/* Both reads end with bytes of the second write. */
	ASSERT_INT(tl->n_arrows, 2);
	ASSERT_INT(tl->arrows[0].kind, ARROW_DATA);
	ASSERT_INT(tl->arrows[0].t_from, 200000);
	ASSERT_INT(tl->arrows[0].t_to, 310000);
	ASSERT_INT(tl->arrows[1].t_from, 200000);
	ASSERT_INT(tl->arrows[1].bytes, 3);
	timeline_free(tl);
	trace_free(t);
	(void)sqlite3_close(db);
}

TEST(timeline_shows_when_threads_really_ran)
{
	sqlite3 *db = recording_of(TRACE_ROW
		"INSERT INTO process(id, pid, name, start_ns) VALUES (1, 1, 'x', 0);"
		"INSERT INTO thread(id, tid, process_id, start_ns, is_main) VALUES (1, 1, 1, 0, 1);"
		"INSERT INTO sched(thread_id, start_ns, end_ns, cpu) VALUES (1, 0, 500000, 0),"
		" (1, 700000, 701000, 0), (1, 702000, 703000, 1)");
	struct trace *t = recording_load(db);
	struct timeline *tl = load_timeline(t, db, 100);
	const struct lane *l = &tl->lanes[0];

	ASSERT(tl->has_sched);
	ASSERT_INT(l->n, 2);
	ASSERT_INT(l->spans[0].kind, SPAN_RAN);
	ASSERT_INT(l->spans[0].to, 500000);
	ASSERT_INT(l->spans[1].count, 2);
	ASSERT_INT(l->spans[1].sum, 2000);
	timeline_free(tl);
	trace_free(t);
	(void)sqlite3_close(db);
}
