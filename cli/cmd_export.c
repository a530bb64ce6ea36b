/* cmd_export.c - pptrace export: a recording for other tools. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "cli/common/options.h"
#include "cli/common/say.h"
#include "cli/common/trace_note.h"
#include "schema/query.h"
#include "viewer/export/chrome.h"
#include "viewer/export/rows.h"
#include "viewer/draw/output.h"
#include "viewer/flame/flame.h"

static const struct command_option options[] = {
	{"format", 'T', "FORMAT",
		"chrome (default; for Perfetto and chrome://tracing), jsonl, csv, or folded (waiting time by stack, for flame graphs)",
		'T'},
	{"output", 'o', "FILE", "write to FILE (default: standard output)", 'o'},
	{"table", 't', "NAME", "jsonl and csv: the rows of this table or view (event)", 't'},
	{NULL, 0, NULL, NULL, 0},
};

static int run(int argc, char **argv);

const struct command cmd_export = {
	.name = "export",
	.usage = "[OPTIONS] [TRACE.db]",
	.summary = "write a recording as trace JSON, JSON lines, CSV or folded stacks",
	.options = options,
	.examples = {{"pptrace export -o run.json", "write what ui.perfetto.dev opens"},
		{"pptrace export --format=csv --table=wait > waits.csv",
			"write the rows of one table"}},
	.run = run,
};

enum { FORMAT_CHROME, FORMAT_JSONL, FORMAT_CSV, FORMAT_FOLDED };
static const char *const formats[] = {"chrome", "jsonl", "csv", "folded", NULL};

static int sink(void *arg, const struct buf *piece)
{
	FILE *f = arg;

	return fwrite(piece->data, 1, piece->len, f) == piece->len ? 0 : -EIO;
}

static _Noreturn void unknown_table(sqlite3 *db, const char *table)
{
	_cleanup_nearest_ struct nearest n = {.typed = table};
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;

	if (query_open(db,
		    "SELECT name FROM sqlite_master WHERE type = 'table'"
		    " UNION SELECT name FROM sqlite_temp_master WHERE type = 'view'",
		    &st, &why) == 0)
		while (query_step(st, &why) > 0)
			nearest_try(&n, query_text(st, 0));
	options_unknown("export: the recording has no table or view", table, n.best,
		"'pptrace query' lists them");
	exit(1);
}

/* Returns the statement that reads a table or view of that name, which stands in the trace; or dies. */
static sqlite3_stmt *select_table(sqlite3 *db, const char *table)
{
	_cleanup_free_ char *sql = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	sqlite3_stmt *st = NULL;

	if (query_select_all(db, table, &sql, &why) < 0)
		die("export: %s", why.data);
	if (!sql)
		unknown_table(db, table);
	if (query_open(db, sql, &st, &why) < 0)
		die("export: %s", why.data);
	return st;
}

static int export_table(sqlite3 *db, const char *table, int format, FILE *f, struct buf *why)
{
	sqlite3_stmt *st = select_table(db, table);
	struct export_rows *e = export_rows_new(
		st, format == FORMAT_CSV ? EXPORT_CSV : EXPORT_JSONL, isatty(fileno(f)) == 1);
	_cleanup_buf_ struct buf out = BUF_INIT;
	int more, rc = 0;

	do {
		more = export_rows_next(e, &out);
		rc = sink(f, &out);
		buf_reset(&out);
	} while (more > 0 && !rc);
	if (more < 0) {
		buf_adds(why, sqlite3_errmsg(db));
		rc = -EIO;
	}
	export_rows_free(e);
	(void)sqlite3_finalize(st);
	return rc;
}

static int export_folded(sqlite3 *db, FILE *f, struct buf *why)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct flame *flame;
	int rc = flame_load(db, &flame, why);

	if (rc)
		return rc;
	flame_folded(flame, &out);
	flame_free(flame);
	return sink(f, &out);
}

static int export_to(sqlite3 *db, const char *table, int format, FILE *f, struct buf *why)
{
	if (format == FORMAT_CHROME)
		return export_chrome(db, sink, f, why);
	if (format == FORMAT_FOLDED)
		return export_folded(db, f, why);
	return export_table(db, table, format, f, why);
}

static void export_all(sqlite3 *db, const char *table, int format, const char *output)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct output file;
	int rc;

	if (!output || !strcmp(output, "-")) {
		/* main notices what could not be written. */
		if (export_to(db, table, format, stdout, &why) != 0 && why.len)
			die("export: %s", why.data);
		return;
	}
	if (output_open(&file, output, 0600, &why) != 0)
		die("export: %s", why.data);
	rc = export_to(db, table, format, file.f, &why);
	if (output_close(&file, rc == 0, &why) != 0 || rc != 0)
		die("export: %s", why.data);
	note("wrote %s", output);
}

static int run(int argc, char **argv)
{
	const char *path, *output = NULL, *table = NULL;
	int format = FORMAT_CHROME;
	sqlite3 *db;

	for (int id; (id = options_next(&cmd_export, argc, argv)) != OPTIONS_END;) {
		if (id == 'o')
			output = optarg;
		else if (id == 't')
			table = optarg;
		else if (id != 'T' || !options_word("--format", optarg, formats, &format))
			return COMMAND_USAGE;
	}
	if (table && (format == FORMAT_CHROME || format == FORMAT_FOLDED)) {
		warn("export: --table goes with --format=jsonl or csv");
		return COMMAND_USAGE;
	}
	path = trace_operand("export", argc - optind, argv + optind);
	if (!path)
		return COMMAND_USAGE;
	db = trace_open(path);
	export_all(db, table ? table : "event", format, output);
	(void)sqlite3_close(db);
	return 0;
}
