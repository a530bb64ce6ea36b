/* viewer.c - tests of what the viewer lays out: ticks, folding, texts that fit. */
/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "schema/db.h"
#include "tests/unit/test.h"
#include "viewer/load/load.h"
#include "viewer/load/resource.h"
#include "viewer/draw/ticks.h"
#include "viewer/timeline/timeline.h"
#include "viewer/tree/tree.h"

#include <sqlite3.h>

static const int64_t ms = 1000000;

TEST(ticks_are_round_and_few)
{
	ASSERT_INT(ticks_step(0, 270 * ms, 10), 50 * ms);
	ASSERT_INT(ticks_step(0, 1000, 11), 200);
	ASSERT_INT(ticks_step(0, 1, 10), 1);
	for (int64_t d = 1; d < INT64_C(1) << 59; d = d * 3 + 1)
		for (unsigned max = 2; max < 20; max++)
			ASSERT(d / ticks_step(0, d, max) + 1 <= max);
}

TEST(ticks_begin_within_the_range)
{
	ASSERT_INT(ticks_first(0, 5), 0);
	ASSERT_INT(ticks_first(1, 5), 5);
	ASSERT_INT(ticks_first(10, 5), 10);
	ASSERT_INT(ticks_first(-7, 5), -5);
}

static void expect_label(int64_t ns, int64_t step, const char *want)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	ticks_label(&b, ns, step);
	ASSERT_STR(b.data, want);
}

TEST(ticks_labels)
{
	expect_label(0, 5, "0");
	expect_label(250 * ms, 50 * ms, "250 ms");
	expect_label(1500 * ms, 500 * ms, "1.5 s");
	expect_label(2000 * ms, 1000 * ms, "2 s");
	expect_label(150000 * ms, 10000 * ms, "2:30");
	expect_label(1500, 500, "1.5 \xc2\xb5s");
	expect_label(30, 10, "30 ns");
}

TEST(text_fit_cuts_by_characters)
{
	_cleanup_free_ char *same = text_fit("short", 5);
	_cleanup_free_ char *cut = text_fit("a long command line", 10);
	_cleanup_free_ char *wide = text_fit("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa4\xc3\xb6", 5);

	ASSERT_STR(same, "short");
	ASSERT_STR(cut, "a long\xe2\x80\xa6ine");
	ASSERT_INT(text_width(cut), 10);
	ASSERT_INT(text_width(wide), 5);
	ASSERT_INT(text_width("\xe6\xbc\xa2"), 2);
}

static sqlite3 *make(const char *sql)
{
	sqlite3 *db = NULL;

	ASSERT_INT(sqlite3_open(":memory:", &db), SQLITE_OK);
	ASSERT_INT(sqlite3_exec(db, db_schema_sql, NULL, NULL, NULL), SQLITE_OK);
	ASSERT_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	return db;
}

#define TRACE_ROW                                                                                  \
	"INSERT INTO trace(id, command, duration_ns, complete) VALUES (1, '[\"x\"]', 1000000, 1);"

/* One parent with n children: each tenth fails, unless alike. */
static sqlite3 *make_children(int n, bool alike)
{
	_cleanup_free_ char *sql = xasprintf(TRACE_ROW
		"INSERT INTO process(id, pid, name, start_ns, end_ns, end_kind, exit_code)"
		" VALUES (1, 1, 'x', 0, 1000000, 'exit', 0);"
		"INSERT INTO thread(id, tid, process_id, start_ns, end_ns, is_main) VALUES (1, 1, 1, 0, 1000000, 1);"
		"WITH RECURSIVE c(i) AS (VALUES (2) UNION ALL SELECT i + 1 FROM c WHERE i <= %d)"
		"INSERT INTO process(id, pid, parent_id, creator_id, name, start_ns, end_ns, end_kind,"
		" exit_code, reaped_ns) SELECT i, i, 1, 1, 'kid', i, i + 10, 'exit', %s, i + 11 FROM c",
		n, alike ? "0" : "i % 10 = 0");

	return make(sql);
}

static size_t count_folds(const struct tree *tree)
{
	size_t n = 0;

	for (size_t i = 0; i < tree->n; i++)
		n += tree->nodes[i].kind == TREE_FOLD;
	return n;
}

static struct trace *load(sqlite3 *db)
{
	_cleanup_free_ char *why = NULL;
	struct trace *t = trace_load(db, &why);

	ASSERT_STR(why, NULL);
	return t;
}

TEST(tree_shows_ten_children)
{
	sqlite3 *db = make_children(10, true);
	struct trace *t = load(db);
	struct tree *tree = tree_new(t, 300);

	ASSERT_INT(tree->n, 11);
	ASSERT_INT(count_folds(tree), 0);
	tree_free(tree);
	trace_free(t);
	(void)sqlite3_close(db);
}

TEST(tree_folds_children_that_are_alike)
{
	sqlite3 *db = make_children(100, true);
	struct trace *t = load(db);
	struct tree *tree = tree_new(t, 300);

	ASSERT_INT(tree->n, 5);
	ASSERT_INT(count_folds(tree), 1);
	ASSERT_INT(tree->hidden_procs, 97);
	ASSERT_STR(tree->nodes[4].words, "97 more kid, all exit 0");
	tree_free(tree);
	tree = tree_new(t, 0);
	ASSERT_INT(tree->n, 101);
	tree_free(tree);
	trace_free(t);
	(void)sqlite3_close(db);
}

TEST(tree_counts_everything_once)
{
	for (int n = 1; n < 2000; n = n * 2 + 1) {
		sqlite3 *db = make_children(n, false);
		struct trace *t = load(db);

		for (size_t max = 3; max < 400; max = max * 3 + 1) {
			struct tree *tree = tree_new(t, max);

			ASSERT(tree->n <= max || max < 8);
			ASSERT_INT(tree->n - count_folds(tree) + tree->hidden_procs, t->n_procs);
			tree_free(tree);
		}
		trace_free(t);
		(void)sqlite3_close(db);
	}
}

TEST(tree_bears_a_long_chain)
{
	sqlite3 *db = make(TRACE_ROW
		"WITH RECURSIVE c(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < 20000)"
		"INSERT INTO process(id, pid, parent_id, name, start_ns) SELECT i, i, i - 1, 'p' || i, i FROM c");
	struct trace *t = load(db);
	struct tree *tree = tree_new(t, 300);

	ASSERT(tree->n <= 300);
	ASSERT_INT(tree->n - count_folds(tree) + tree->hidden_procs, 20000);
	tree_free(tree);
	trace_free(t);
	(void)sqlite3_close(db);
}

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
	sqlite3 *db = make(TRACE_ROW
		"INSERT INTO process(id, pid, name, start_ns) VALUES (1, 1, 'x', 0);"
		"INSERT INTO thread(id, tid, process_id, start_ns, is_main) VALUES (1, 1, 1, 0, 1);"
		"WITH RECURSIVE c(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM c WHERE i < 99)"
		"INSERT INTO wait(thread_id, start_ns, end_ns, reason) SELECT 1, i * 5000, i * 5000 + 1000, 'sleep' FROM c;"
		"INSERT INTO wait(thread_id, start_ns, end_ns, reason) VALUES (1, 600000, 800000, 'lock')");
	struct trace *t = load(db);
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
	sqlite3 *db = make(TRACE_ROW
		"INSERT INTO process(id, pid, name, start_ns) VALUES (1, 1, 'x', 0);"
		"INSERT INTO thread(id, tid, process_id, start_ns, is_main) VALUES (1, 1, 1, 0, 1);"
		"INSERT INTO lock_hold(lock_id, thread_id, acquire_ns, release_ns) VALUES"
		" (1, 1, 0, 500000), (2, 1, 100000, 400000), (3, 1, 600000, NULL)");
	struct trace *t = load(db);
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
	sqlite3 *db = make(TRACE_ROW
		"INSERT INTO process(id, pid, name, start_ns) VALUES (1, 1, 'w', 0), (2, 2, 'r', 0);"
		"INSERT INTO thread(id, tid, process_id, start_ns, is_main) VALUES (1, 1, 1, 0, 1), (2, 2, 2, 0, 1);"
		"INSERT INTO pipe(id, kind) VALUES (1, 'pipe');"
		"INSERT INTO pipe_io(pipe_id, thread_id, op, start_ns, end_ns, bytes) VALUES"
		" (1, 1, 'write', 100000, 110000, 5), (1, 1, 'write', 200000, 210000, 5),"
		" (1, 2, 'read', 300000, 310000, 7), (1, 2, 'read', 500000, 510000, 3)");
	struct trace *t = load(db);
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
	sqlite3 *db = make(TRACE_ROW
		"INSERT INTO process(id, pid, name, start_ns) VALUES (1, 1, 'x', 0);"
		"INSERT INTO thread(id, tid, process_id, start_ns, is_main) VALUES (1, 1, 1, 0, 1);"
		"INSERT INTO sched(thread_id, start_ns, end_ns, cpu) VALUES (1, 0, 500000, 0),"
		" (1, 700000, 701000, 0), (1, 702000, 703000, 1)");
	struct trace *t = load(db);
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
