/* cmd_query.c - pptrace query: query a recording in SQL, or run one of the prepared queries. */
/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <getopt.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "cli/common/options.h"
#include "cli/common/say.h"
#include "cli/common/trace_note.h"
#include "schema/db.h"
#include "schema/queries/queries.h"
#include "schema/query.h"
#include "viewer/export/rows.h"
#include "viewer/path/path.h"

enum { OPT_SCHEMA = 256, STATUS_SQL = 2, SECONDS_MAX = 600 };

static const struct command_option options[] = {
	{"file", 'f', "TRACE.db", "the recording (pptrace.db)", 'f'},
	{"format", 'T', "FORMAT", "table (default), json, jsonl or csv", 'T'},
	{"schema", 0, NULL, "show the tables and views with their comments", OPT_SCHEMA},
	{NULL, 0, NULL, NULL, 0},
};

static int run(int argc, char **argv);

const struct command cmd_query = {
	.name = "query",
	.usage = "[OPTIONS] [SQL|NAME [TRACE.db]]",
	.summary = "query a recording in SQL, or by the name of a prepared query",
	.options = options,
	.examples = {{"pptrace query longest_waits", "run a prepared query"},
		{"pptrace query \"SELECT name, count(*) FROM process GROUP BY name\"",
			"answer any question, in SQL"}},
	.run = run,
};

static const char *const formats[] = {"table", "json", "jsonl", "csv", NULL};

static void list_queries(void)
{
	struct query q;

	(void)printf("queries (pptrace query NAME):\n");
	for (size_t pos = 0; query_next(&pos, &q); query_done(&q))
		(void)printf("  %-18s %s\n", q.name, q.about);
	(void)printf("\nviews (pptrace query \"SELECT * FROM VIEW\", or their name alone):\n");
	for (size_t pos = 0; query_next_view(&pos, &q); query_done(&q))
		(void)printf("  %-18s %s\n", q.name, q.about);
	(void)printf("\n'pptrace query --schema' shows every table and column.\n");
}

/* Rows as they come; returns false after a message. */
static bool print_rows(sqlite3 *db, sqlite3_stmt *st, enum export_format format)
{
	struct export_rows *e = export_rows_new(st, format, isatty(STDOUT_FILENO) == 1);
	_cleanup_buf_ struct buf out = BUF_INIT;
	int rc;

	do {
		rc = export_rows_next(e, &out);
		(void)fwrite(out.data, 1, out.len, stdout);
		buf_reset(&out);
	} while (rc > 0 && !ferror(stdout));
	export_rows_free(e);
	if (rc < 0 && sqlite3_errcode(db) == SQLITE_INTERRUPT)
		warn("query: stopped after %d minutes of processor time", SECONDS_MAX / 60);
	else if (rc < 0)
		warn("query: %s", sqlite3_errmsg(db));
	return rc >= 0;
}

/* The word or place at which SQLite no longer understood the text. */
static void explain_error(sqlite3 *db, const char *sql)
{
#if SQLITE_VERSION_NUMBER >= 3038000
	int offset = sqlite3_error_offset(db);
#else
	int offset = -1;
#endif

	if (offset > 0 && sql[offset])
		warn("query: %s (at \"%.40s\")", sqlite3_errmsg(db), sql + offset);
	else
		warn("query: %s", sqlite3_errmsg(db));
}

/* Runs each statement of the text. Returns the exit status. */
static int run_sql(sqlite3 *db, const char *sql, enum export_format format)
{
	while (*sql) {
		sqlite3_stmt *st = NULL;
		const char *rest = NULL;
		bool good = true;

		if (sqlite3_prepare_v2(db, sql, -1, &st, &rest) != SQLITE_OK) {
			explain_error(db, sql);
			return STATUS_SQL;
		}
		if (st)
			good = print_rows(db, st, format);
		(void)sqlite3_finalize(st);
		if (!good)
			return STATUS_SQL;
		sql = rest;
	}
	return 0;
}

/* A single word is the name of a table or view, if the trace has one of that name. */
static char *select_from_word(sqlite3 *db, const char *word)
{
	_cleanup_free_ char *name = xstrdup(word);
	_cleanup_buf_ struct buf why = BUF_INIT;
	char *sql = NULL;

	for (char *c = name; *c; c++)
		if (*c == '-')
			*c = '_';
	if (query_select_all(db, name, &sql, &why) < 0)
		die("query: %s", why.data);
	return sql;
}

/* Questions, views and tables are asked for by their names. */
static void unknown(sqlite3 *db, const char *word)
{
	_cleanup_nearest_ struct nearest n = {.typed = word};
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct query q;

	for (size_t pos = 0; query_next(&pos, &q); query_done(&q))
		nearest_try(&n, q.name);
	for (size_t pos = 0; query_next_view(&pos, &q); query_done(&q))
		nearest_try(&n, q.name);
	if (query_open(db, "SELECT name FROM sqlite_master WHERE type = 'table'", &st, &why) == 0)
		while (query_step(st, &why) > 0)
			nearest_try(&n, query_text(st, 0));
	options_unknown("query: no query, view or table is called", word, n.best,
		"'pptrace query' lists them");
}

static bool is_word(const char *text)
{
	while (isalnum((unsigned char)*text) || *text == '_' || *text == '-')
		text++;
	return !*text;
}

static int ask(sqlite3 *db, const char *question, enum export_format format)
{
	_cleanup_free_ char *select = NULL;
	struct query q;
	int status;

	if (query_find(question, &q) == 0) {
		status = run_sql(db, q.sql, format);
		query_done(&q);
		return status;
	}
	if (is_word(question)) {
		select = select_from_word(db, question);
		if (!select) {
			unknown(db, question);
			return STATUS_SQL;
		}
		question = select;
	}
	return run_sql(db, question, format);
}

static const char schema_sql[] =
	"SELECT sql || ';' FROM sqlite_master WHERE type IN ('table', 'view')"
	" AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY type, name";

static int show_schema(sqlite3 *db)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	_cleanup_buf_ struct buf out = BUF_INIT, why = BUF_INIT;
	int rc = query_open(db, schema_sql, &st, &why);

	while (!rc && query_step(st, &why) > 0) {
		const char *line = query_text(st, 0);

		/* The layout is kept; anything else that a terminal could act on is not. */
		for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
			size_t len = strcspn(line, "\n");

			buf_add_printable(&out, line, len);
			buf_addc(&out, '\n');
		}
		buf_addc(&out, '\n');
	}
	if (why.len)
		die("query: %s", why.data);
	(void)fwrite(out.data, 1, out.len, stdout);
	return 0;
}

/* Says whether an operand is meant as a file, there or not. */
static bool is_recording(const char *operand)
{
	size_t len = strlen(operand);

	return access(operand, R_OK) == 0 || (len > 3 && !strcmp(operand + len - 3, ".db"));
}

static int run(int argc, char **argv)
{
	const char *path = NULL;
	bool schema = false;
	int format = EXPORT_TABLE, status;
	sqlite3 *db;

	for (int id; (id = options_next(&cmd_query, argc, argv)) != OPTIONS_END;) {
		if (id == 'f')
			path = optarg;
		else if (id == OPT_SCHEMA)
			schema = true;
		else if (id != 'T' || !options_word("--format", optarg, formats, &format))
			return COMMAND_USAGE;
	}
	/* The recording last, as other commands take it. */
	if (!path && argc - optind == 2 && is_recording(argv[optind + 1]))
		path = argv[--argc];
	if (argc - optind > 1) {
		warn("query: only one query can be given; put SQL in quotes, and name the recording "
		     "with -f");
		return COMMAND_USAGE;
	}
	if (argc == optind && !schema) {
		list_queries();
		return 0;
	}
	if (!schema && access(argv[optind], R_OK) == 0) {
		warn("query: %s is a file; name the recording with -f", argv[optind]);
		return COMMAND_USAGE;
	}
	db = trace_open(path ? path : "pptrace.db");
	if (path_register(db) < 0)
		die("query: %s", sqlite3_errmsg(db));
	db_limit(db, SECONDS_MAX); /* a user's own query may be a hard one */
	status = schema ? show_schema(db) : ask(db, argv[optind], (enum export_format)format);
	db_close(db);
	return status;
}
