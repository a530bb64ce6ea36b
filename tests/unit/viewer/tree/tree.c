/* tree.c - tests of what the tree shows and folds. */
/* SPDX-License-Identifier: MIT */
#include "viewer/tree/tree.h"

#include <sqlite3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "schema/db.h"
#include "tests/unit/test.h"
#include "tests/unit/viewer/recording.h"
#include "viewer/load/load.h"

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

	return recording_of(sql);
}

static size_t count_folds(const struct tree *tree)
{
	size_t n = 0;

	for (size_t i = 0; i < tree->n; i++)
		n += tree->nodes[i].kind == TREE_FOLD;
	return n;
}

TEST(tree_shows_ten_children)
{
	sqlite3 *db = make_children(10, true);
	struct trace *t = recording_load(db);
	struct tree *tree = tree_new(t, 300);

	ASSERT_INT(tree->n, 11);
	ASSERT_INT(count_folds(tree), 0);
	tree_free(tree);
	trace_free(t);
	db_close(db);
}

/* Returns the column at which a word begins in the line of a text that has another word in it. */
static long column_of(const char *text, const char *line, const char *word)
{
	const char *at = strstr(text, line), *found;

	ASSERT(at);
	while (at > text && at[-1] != '\n')
		at--;
	found = strstr(at, word);
	ASSERT(found && (size_t)(found - at) < strcspn(at, "\n"));
	return found - at;
}

/* A recording may say anything of numbers and times: what stands behind them is still in its column. */
TEST(tree_text_has_room_for_large_numbers)
{
	sqlite3 *db = recording_of(TRACE_ROW
		"INSERT INTO process(id, pid, name, start_ns, end_ns, end_kind, exit_code, command) VALUES"
		" (1, 9223372036854775807, 'x', -9223372036854775807, 1000000, 'exit', 0, '[\"large\"]'),"
		" (2, 2, 'y', 0, 1000000, 'exit', 0, '[\"small\"]')");
	struct trace *t = recording_load(db);
	struct tree *tree = tree_new(t, 0);
	_cleanup_buf_ struct buf b = BUF_INIT;

	tree_text(&b, t, tree, 200, false);
	ASSERT_INT(column_of(b.data, "large", "exit 0"), column_of(b.data, "small", "exit 0"));
	ASSERT_INT(column_of(b.data, "large", "large"), column_of(b.data, "small", "small"));
	tree_free(tree);
	trace_free(t);
	db_close(db);
}

/* Asserts that no line is wider than the terminal, that none but the one below the title is empty, and that both lives are whole. */
static void assert_narrow(const struct trace *t, size_t width)
{
	struct tree *tree = tree_new(t, 0);
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t empty = 0;

	tree_text(&b, t, tree, width, false);
	for (const char *s = b.data; *s; s += strcspn(s, "\n") + 1) {
		_cleanup_free_ char *line = strndup(s, strcspn(s, "\n"));

		ASSERT(text_width(line) <= width);
		empty += !*line;
	}
	ASSERT_INT(empty, 1);
	ASSERT(strstr(b.data, " 123 ms"));
	ASSERT(strstr(b.data, " 45.6 ms"));
	tree_free(tree);
}

/* A duration that is cut says another: names, and how it ended, give way to it. */
TEST(tree_text_shows_whole_durations_in_a_narrow_terminal)
{
	sqlite3 *db = recording_of(
		"INSERT INTO trace(id, command, duration_ns, complete) VALUES (1, '[\"x\"]', 200000000, 1);"
		"INSERT INTO process(id, pid, parent_id, name, start_ns, end_ns, end_kind, exit_signal,"
		" command, reaped_ns) VALUES"
		" (1, 4194304, NULL, 'a-rather-long-name', 0, 123000000, 'signal', 15, '[\"x\"]', 123000001),"
		" (2, 4194305, 1, 'a-child-of-that', 0, 45600000, 'signal', 31, '[\"x\"]', 45600001)");
	struct trace *t = recording_load(db);

	for (size_t width = 40; width <= 100; width++)
		assert_narrow(t, width);
	trace_free(t);
	db_close(db);
}

TEST(tree_folds_children_that_are_alike)
{
	sqlite3 *db = make_children(100, true);
	struct trace *t = recording_load(db);
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
	db_close(db);
}

/* A process with threads of one name, the first of which are stuck in one deadlock; twins of them go on. */
static sqlite3 *make_stuck(int stuck, int twins)
{
	_cleanup_free_ char *sql = xasprintf(TRACE_ROW
		"INSERT INTO process(id, pid, name, start_ns) VALUES (1, 1, 'x', 0);"
		"INSERT INTO thread(id, tid, process_id, start_ns, is_main) VALUES (1, 1, 1, 0, 1);"
		"WITH RECURSIVE c(i) AS (VALUES (2) UNION ALL SELECT i + 1 FROM c WHERE i <= %d)"
		"INSERT INTO thread(id, tid, process_id, creator_id, name, start_ns, is_main)"
		" SELECT i, i, 1, 1, 'phil', i, 0 FROM c;"
		"INSERT INTO finding(id, rule, severity, certainty, ts_ns, summary)"
		" VALUES (1, 'deadlock', 'error', 'certain', 5000, 'they wait');"
		"INSERT INTO finding_member(finding_id, ordinal, thread_id)"
		" SELECT 1, id, id FROM thread WHERE id BETWEEN 2 AND %d",
		stuck + twins, stuck + 1);

	return recording_of(sql);
}

static size_t count_stuck(const struct trace *t, const struct tree *tree)
{
	size_t n = 0;

	for (size_t i = 0; i < tree->n; i++)
		n += tree->nodes[i].kind == TREE_THREAD && t->threads[tree->nodes[i].row].stuck;
	return n;
}

/* Many that are stuck alike are one box, as any others; a few never are. */
TEST(tree_folds_many_threads_that_are_stuck)
{
	sqlite3 *db = make_stuck(57, 20);
	struct trace *t = recording_load(db);
	struct tree *tree = tree_new(t, 300);

	ASSERT_INT(tree->n, 9); /* the process, three of each and the rest of each */
	ASSERT_INT(count_stuck(t, tree), 3);
	ASSERT_STR(tree->nodes[7].words, "54 more phil, all stuck");
	ASSERT(tree->nodes[7].stuck);
	ASSERT_STR(tree->nodes[8].words, "17 more phil");
	ASSERT(!tree->nodes[8].stuck);
	tree_free(tree);
	tree = tree_new(t, 0);
	ASSERT_INT(count_stuck(t, tree), 57);
	tree_free(tree);
	trace_free(t);
	db_close(db);
}

TEST(tree_shows_the_few_that_are_stuck)
{
	sqlite3 *db = make_stuck(5, 2000);
	struct trace *t = recording_load(db);

	for (size_t max = 8; max < 400; max = max * 2) {
		struct tree *tree = tree_new(t, max);

		ASSERT_INT(count_stuck(t, tree), 5);
		ASSERT_INT(tree->hidden_threads, 2005 - 5 - (tree->n - 1 - 5 - count_folds(tree)));
		tree_free(tree);
	}
	trace_free(t);
	db_close(db);
}

TEST(tree_counts_everything_once)
{
	for (int n = 1; n < 2000; n = n * 2 + 1) {
		sqlite3 *db = make_children(n, false);
		struct trace *t = recording_load(db);

		for (size_t max = 3; max < 400; max = max * 3 + 1) {
			struct tree *tree = tree_new(t, max);

			ASSERT(tree->n <= max || max < 8);
			ASSERT_INT(tree->n - count_folds(tree) + tree->hidden_procs, t->n_procs);
			tree_free(tree);
		}
		trace_free(t);
		db_close(db);
	}
}

TEST(tree_bears_a_long_chain)
{
	sqlite3 *db = recording_of(TRACE_ROW
		"WITH RECURSIVE c(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < 20000)"
		"INSERT INTO process(id, pid, parent_id, name, start_ns) SELECT i, i, i - 1, 'p' || i, i FROM c");
	struct trace *t = recording_load(db);
	struct tree *tree = tree_new(t, 300);

	ASSERT(tree->n <= 300);
	ASSERT_INT(tree->n - count_folds(tree) + tree->hidden_procs, 20000);
	tree_free(tree);
	trace_free(t);
	db_close(db);
}
