/* viewer.c - draw databases full of nonsense. */
/* SPDX-License-Identifier: MIT */
/*
 * The input is a list of rows: a byte for the table, then for each column a
 * byte that says what kind of value, and the value. Constraints are off.
 */
#include <sqlite3.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/db.h"
#include "viewer/draw/graph.h"
#include "viewer/load/load.h"
#include "viewer/relations/relations.h"
#include "viewer/draw/sketch.h"
#include "viewer/path/path.h"
#include "viewer/timeline/timeline.h"
#include "viewer/tree/tree.h"

enum { ROWS_MAX = 200 };

static const char *const tables[] = {"trace", "process", "thread", "exec", "pipe", "pipe_end",
	"pipe_io", "signal", "lock", "lock_hold", "lock_open", "lock_edge", "lock_stat", "lane",
	"wait", "wait_on", "site", "finding", "finding_member", "setting"};

static const char *const words[] = {"exit", "signal", "lock", "pipe-read", "pipe-write", "child",
	"join", "poll", "read", "write", "pipe", "socketpair", "fifo", "mutex", "r", "w", "rw", "x",
	"s", "deadlock", "stuck", "certain", "error", "lane_ns", "[\"a\",\"b c\"]", "[]", "handler",
	"\xff\xfe", "<b>&\\N\n", ""};

struct input {
	const uint8_t *data;
	size_t len;
};

static unsigned take(struct input *in)
{
	if (!in->len)
		return 0;
	in->len--;
	return *in->data++;
}

static void bind(sqlite3_stmt *stmt, int col, struct input *in)
{
	unsigned kind = take(in), value = take(in);

	switch (kind % 6) {
	case 0:
		(void)sqlite3_bind_null(stmt, col);
		break;
	case 1:
	case 2:
		(void)sqlite3_bind_int64(stmt, col, value % 8);
		break;
	case 3:
		(void)sqlite3_bind_int64(stmt, col, (int64_t)value << (take(in) % 55));
		break;
	case 4:
		(void)sqlite3_bind_int64(
			stmt, col, value % 2 ? INT64_MAX - value : INT64_MIN + value);
		break;
	default:
		(void)sqlite3_bind_text(
			stmt, col, words[value % ARRAY_SIZE(words)], -1, SQLITE_STATIC);
	}
}

static int columns_of(sqlite3 *db, const char *table)
{
	_cleanup_free_ char *sql = xasprintf("SELECT * FROM %s", table);
	sqlite3_stmt *stmt = NULL;
	int n;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return 0;
	n = sqlite3_column_count(stmt);
	(void)sqlite3_finalize(stmt);
	return n;
}

static void add_row(sqlite3 *db, struct input *in)
{
	const char *table = tables[take(in) % ARRAY_SIZE(tables)];
	_cleanup_buf_ struct buf sql = BUF_INIT;
	int n = columns_of(db, table);
	sqlite3_stmt *stmt = NULL;

	buf_addf(&sql, "INSERT OR IGNORE INTO %s VALUES (", table);
	for (int i = 0; i < n; i++)
		buf_adds(&sql, i ? ", ?" : "?");
	buf_addc(&sql, ')');
	if (sqlite3_prepare_v2(db, sql.data, -1, &stmt, NULL) != SQLITE_OK)
		return;
	for (int i = 1; i <= n; i++)
		bind(stmt, i, in);
	(void)sqlite3_step(stmt);
	(void)sqlite3_finalize(stmt);
}

/* The source of the graph is enough: laying it out is Graphviz's business. */
static void draw(struct graph *g)
{
	_cleanup_buf_ struct buf out = BUF_INIT, why = BUF_INIT;

	(void)graph_render(g, "dot", "dot", &out, &why);
	graph_free(g);
}

static void show_sketch(struct sketch *sk, char *why)
{
	_cleanup_buf_ struct buf out = BUF_INIT;

	free(why);
	if (!sk)
		return;
	sketch_text(&out, sk, 80, true);
	draw(sketch_graph(sk, true));
	sketch_free(sk);
}

static void show(const struct trace *t, sqlite3 *db, size_t max)
{
	struct timeline_options opt = {
		.since = -TIME_LIMIT, .until = TIME_NEVER, .columns = 40, .max_lanes = max};
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct tree *tree = tree_new(t, max);
	char *why = NULL;
	struct path *path = path_new(t, db, &why);
	struct timeline *tl;
	const struct relations_input in = {t, db, TIME_NEVER, NULL};
	const struct relations_picture *picture;
	struct sketch *sk;

	tree_text(&out, t, tree, 80, false);
	draw(tree_graph(t, tree, true));
	tree_free(tree);
	free(why);
	why = NULL;
	opt.path = path;
	opt.only_path = path && max;
	tl = timeline_new(t, db, &opt, &why);
	free(why);
	if (path) {
		path_text(&out, path, 80, true, max == 0);
		path_json(&out, path);
		path_sentence(&out, path);
	}
	if (tl) {
		timeline_text(&out, tl, 80, true);
		draw(timeline_graph(tl, 500, true));
	}
	timeline_free(tl);
	path_free(path);
	for (size_t pos = 0; (picture = relations_next(&pos));) {
		why = NULL;
		sk = picture->layout(&in, &why);
		show_sketch(sk, why);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Made once; each input's rows are rolled back. */
static sqlite3 *open_once(void)
{
	static sqlite3 *db;

	if (db || sqlite3_open(":memory:", &db) != SQLITE_OK)
		return db;
	(void)sqlite3_exec(db, "PRAGMA ignore_check_constraints = 1", NULL, NULL, NULL);
	(void)sqlite3_exec(db, db_schema_sql, NULL, NULL, NULL);
	(void)sqlite3_exec(db, db_views_sql, NULL, NULL, NULL);
	return db;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	sqlite3 *db = open_once();
	char *why = NULL;
	struct trace *t;

	if (sqlite3_exec(db,
		    "BEGIN; INSERT INTO trace(id, command, duration_ns, complete) VALUES (1, '[]', 1000, 1)",
		    NULL, NULL, NULL) != SQLITE_OK)
		return 0;
	for (int i = 0; i < ROWS_MAX && in.len; i++)
		add_row(db, &in);
	t = trace_load(db, &why);
	free(why);
	if (t) {
		show(t, db, 0);
		show(t, db, 8);
	}
	trace_free(t);
	(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return 0;
}
