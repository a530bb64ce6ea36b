/* cmd_export.c - pptrace export: a recording for other tools. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "cli/common/filter.h"
#include "cli/common/options.h"
#include "cli/common/say.h"
#include "cli/common/trace_note.h"
#include "schema/db.h"
#include "schema/query.h"
#include "viewer/export/chrome.h"
#include "viewer/export/perfetto.h"
#include "viewer/export/rows.h"
#include "viewer/export/table.h"
#include "viewer/export/walk.h"
#include "viewer/draw/output.h"
#include "viewer/flame/flame.h"

static const struct command_option options[] = {
	{"format", 'T', "FORMAT",
		"chrome (default; JSON for Perfetto and chrome://tracing), perfetto (its own format, smaller), jsonl, csv, or folded (waiting time by stack, for flame graphs)",
		'T'},
	{"output", 'o', "FILE", "write to FILE (default: standard output)", 'o'},
	{"table", 't', "NAME", "jsonl and csv: the rows of this table or view (event)", 't'},
	FILTER_OPTIONS,
	{NULL, 0, NULL, NULL, 0},
};

static int run(int argc, char **argv);

const struct command cmd_export = {
	.name = "export",
	.usage = "[OPTIONS] [TRACE.db]",
	.summary = "write a recording as trace JSON, JSON lines, CSV or folded stacks",
	.options = options,
	.examples = {{"pptrace export --since 1.5 --process worker -o part.json",
			     "write a file for ui.perfetto.dev with one process from 1.5 s on"},
		{"pptrace export --format=csv --table=wait > waits.csv",
			"write the rows of one table"}},
	.run = run,
};

enum { FORMAT_CHROME, FORMAT_PERFETTO, FORMAT_JSONL, FORMAT_CSV, FORMAT_FOLDED };
static const char *const formats[] = {"chrome", "perfetto", "jsonl", "csv", "folded", NULL};

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

/* What is exported, and of which part of the recording. */
struct export
{
	const char *output, *table;
	int format;
	struct filter filter;
	struct export_filter part; /* the same as viewer/export takes it */
};

static sqlite3_stmt *select_table(sqlite3 *db, const struct export *x)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	sqlite3_stmt *st = NULL;
	int rc = export_select(db, x->table, &x->part, &st, &why);

	if (rc == -ENOENT)
		unknown_table(db, x->table);
	if (rc < 0)
		die("export: %s", why.data);
	return st;
}

static int export_table(sqlite3 *db, const struct export *x, FILE *f, struct buf *why)
{
	sqlite3_stmt *st = select_table(db, x);
	struct export_rows *e = export_rows_new(
		st, x->format == FORMAT_CSV ? EXPORT_CSV : EXPORT_JSONL, isatty(fileno(f)) == 1);
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

static int export_folded(sqlite3 *db, const struct export *x, FILE *f, struct buf *why)
{
	const struct flame_part part = {x->filter.since, x->filter.until, x->filter.processes,
		(size_t)x->filter.n_processes};
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct flame *flame;
	int rc = flame_load(db, &part, &flame, why);

	if (rc)
		return rc;
	flame_folded(flame, &out);
	flame_free(flame);
	return sink(f, &out);
}

static int export_to(sqlite3 *db, const struct export *x, FILE *f, struct buf *why)
{
	if (x->format == FORMAT_CHROME)
		return export_chrome(db, &x->part, sink, f, why);
	if (x->format == FORMAT_PERFETTO)
		return export_perfetto(db, &x->part, sink, f, why);
	if (x->format == FORMAT_FOLDED)
		return export_folded(db, x, f, why);
	return export_table(db, x, f, why);
}

static void export_all(sqlite3 *db, const struct export *x)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct output file;
	int rc;

	if (!x->output || !strcmp(x->output, "-")) {
		/* main notices what could not be written. */
		if (export_to(db, x, stdout, &why) != 0 && why.len)
			die("export: %s", why.data);
		return;
	}
	if (output_open(&file, x->output, 0600, &why) != 0)
		die("export: %s", why.data);
	rc = export_to(db, x, file.f, &why);
	if (output_close(&file, rc == 0, &why) != 0 || rc != 0)
		die("export: %s", why.data);
	note("wrote %s", x->output);
}

/* Returns false after a message. */
static bool parse(struct export *x, int argc, char **argv)
{
	for (int id; (id = options_next(&cmd_export, argc, argv)) != OPTIONS_END;) {
		if (id == 'o')
			x->output = optarg;
		else if (id == 't')
			x->table = optarg;
		else if (id == 'T' ? !options_word("--format", optarg, formats, &x->format)
				   : !filter_option(&x->filter, "export", id))
			return false;
	}
	if (x->table && x->format != FORMAT_JSONL && x->format != FORMAT_CSV) {
		warn("export: --table goes with --format=jsonl or csv");
		return false;
	}
	for (int i = 0; i < x->filter.n_kinds && x->format == FORMAT_FOLDED; i++)
		if (strcmp(x->filter.kinds[i], "wait") != 0) {
			warn("export: --format=folded has waits alone: --kind may only be wait");
			return false;
		}
	x->table = x->table ? x->table : "event";
	x->part = (struct export_filter){x->filter.since, x->filter.until, x->filter.processes,
		(size_t)x->filter.n_processes, x->filter.kinds, (size_t)x->filter.n_kinds};
	return true;
}

static int run(int argc, char **argv)
{
	struct export x = {.format = FORMAT_CHROME, .filter = FILTER_INIT};
	const char *path;
	sqlite3 *db;

	if (!parse(&x, argc, argv))
		return COMMAND_USAGE;
	path = trace_operand("export", argc - optind, argv + optind);
	if (!path)
		return COMMAND_USAGE;
	db = trace_open(path);
	filter_check(&x.filter, db, "export");
	export_all(db, &x);
	db_close(db);
	return 0;
}
