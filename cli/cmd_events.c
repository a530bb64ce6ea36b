/* cmd_events.c - pptrace events: what happened, one line each, in time order. */
/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <inttypes.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/common/filter.h"
#include "cli/common/options.h"
#include "cli/common/say.h"
#include "cli/common/trace_note.h"
#include "schema/db.h"
#include "schema/query.h"
#include "verdict/place.h"

/*
 * SQLite sorts before it gives the first row. A large recording is therefore
 * asked window by window of time, so that lines come at once and what is sorted
 * stays small.
 */
enum { ROWS_PER_WINDOW = 200000 };

static const struct command_option options[] = {
	FILTER_OPTIONS,
	{NULL, 0, NULL, NULL, 0},
};

static int run(int argc, char **argv);

const struct command cmd_events = {
	.name = "events",
	.usage = "[OPTIONS] [TRACE.db]",
	.summary = "print what happened in time order, one line each",
	.options = options,
	.examples = {{"pptrace events --process worker --kind wait,lock",
			     "print what the processes called worker waited for and locked"},
		{"pptrace events --since 1.5 --until 1.6", "print a tenth of a second"}},
	.run = run,
};

static sqlite3_stmt *prepare(sqlite3 *db, const struct filter *f)
{
	_cleanup_buf_ struct buf sql = BUF_INIT, why = BUF_INIT;
	sqlite3_stmt *st = NULL;

	buf_adds(&sql, "SELECT ts_ns, pid, tid, name, kind, text FROM event"
		       " WHERE ts_ns BETWEEN ?1 AND ?2");
	filter_where(f, &sql, "pid", "name", "kind", 3);
	buf_adds(&sql, " ORDER BY ts_ns");
	if (query_open(db, sql.data, &st, &why) < 0)
		die("events: %s", why.data);
	(void)filter_bind(f, st, true, 3);
	return st;
}

static void add_text(struct buf *out, sqlite3_stmt *st, int column)
{
	const char *s = sqlite3_column_blob(st, column);

	buf_add_printable(out, s ? s : "", (size_t)sqlite3_column_bytes(st, column));
}

/* "    0.001234  4711          ls              exec     exec /bin/ls [...]"; a thread's tid comes after its pid. */
static void print_event(sqlite3_stmt *st, bool color)
{
	_cleanup_buf_ struct buf line = BUF_INIT, who = BUF_INIT, name = BUF_INIT, kind = BUF_INIT;
	const char *dim = color ? "\033[2m" : "", *cyan = color ? "\033[36m" : "",
		   *plain = color ? "\033[0m" : "";
	int64_t pid = sqlite3_column_int64(st, 1), tid = sqlite3_column_int64(st, 2);

	if (pid)
		buf_addf(&who, "%" PRId64, pid);
	if (tid && tid != pid)
		buf_addf(&who, "/%" PRId64, tid);
	add_text(&name, st, 3);
	add_text(&kind, st, 4);
	buf_addf(&line, "%s%12.6f%s  %-13s %-15s %s%-7s%s  ", dim,
		(double)sqlite3_column_int64(st, 0) / 1e9, plain, who.data, name.data, cyan,
		kind.data, plain);
	add_text(&line, st, 5);
	buf_addc(&line, '\n');
	(void)fwrite(line.data, 1, line.len, stdout);
}

static int64_t number(sqlite3 *db, const char *sql)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	int64_t n = query_number(db, sql, 0, 0, &why);

	if (why.len)
		die("events: %s", why.data);
	return n;
}

/* The stacks of waits, by start and thread: the view event says no more of a wait. */
static sqlite3_stmt *prepare_stacks(sqlite3 *db)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	sqlite3_stmt *st = NULL;

	if (!say_is_verbose())
		return NULL;
	/* The file is opened for reading only; this table is our own. */
	if (query_exec(db,
		    "PRAGMA query_only = 0;"
		    "CREATE TEMP TABLE stack AS SELECT w.start_ns, t.tid, w.stack_id FROM wait w"
		    " JOIN thread t ON t.id = w.thread_id WHERE w.stack_id IS NOT NULL;"
		    "CREATE INDEX temp.stack_start ON stack(start_ns)",
		    &why) < 0 ||
		query_open(db, "SELECT stack_id FROM stack WHERE start_ns = ?1 AND tid = ?2", &st,
			&why) < 0)
		die("events: %s", why.data);
	return st;
}

static void print_stack(sqlite3 *db, sqlite3_stmt *stacks, sqlite3_stmt *event)
{
	_cleanup_buf_ struct buf out = BUF_INIT, why = BUF_INIT;

	if (!stacks || strcmp(query_text(event, 4), "wait") != 0)
		return;
	(void)sqlite3_reset(stacks);
	query_bind_int(stacks, 1, sqlite3_column_int64(event, 0));
	query_bind_int(stacks, 2, sqlite3_column_int64(event, 2));
	if (query_step(stacks, &why) > 0)
		place_add_lines(&out, db, query_int(stacks, 0, 0), "                  ");
	(void)fwrite(out.data, 1, out.len, stdout);
}

static void print_window(sqlite3 *db, sqlite3_stmt *st, sqlite3_stmt *stacks,
	const struct filter *f, int64_t from, int64_t to)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	bool color = say_color(stdout);
	int rc;

	if (from < f->since)
		from = f->since;
	if (to > f->until)
		to = f->until;
	if (from > to)
		return;
	(void)sqlite3_reset(st);
	query_bind_int(st, 1, from);
	query_bind_int(st, 2, to);
	while ((rc = query_step(st, &why)) > 0 && !ferror(stdout)) {
		print_event(st, color);
		print_stack(db, stacks, st);
	}
	if (rc < 0)
		die("events: %s", why.data);
}

static void print_all(sqlite3 *db, const struct filter *f)
{
	sqlite3_stmt *stacks = prepare_stacks(db), *st = prepare(db, f);
	int64_t duration = number(db, "SELECT duration_ns FROM trace");
	int64_t rows = number(db, "SELECT coalesce((SELECT max(id) FROM lock_hold), 0)"
				  " + coalesce((SELECT max(id) FROM pipe_io), 0)"
				  " + coalesce((SELECT max(id) FROM wait), 0)"
				  " + coalesce((SELECT max(id) FROM sync), 0)");
	int64_t windows = rows / ROWS_PER_WINDOW + 1;
	int64_t width = duration / windows;

	/* The first and the last window are open: there may be times before 0 and after the end. */
	for (int64_t i = 0; i < windows; i++)
		print_window(db, st, stacks, f, i ? i * width : INT64_MIN,
			i + 1 < windows ? (i + 1) * width - 1 : INT64_MAX);
	(void)sqlite3_finalize(st);
	(void)sqlite3_finalize(stacks);
}

static int run(int argc, char **argv)
{
	struct filter f = FILTER_INIT;
	const char *path;
	sqlite3 *db;

	for (int id; (id = options_next(&cmd_events, argc, argv)) != OPTIONS_END;)
		if (!filter_option(&f, "events", id))
			return COMMAND_USAGE;
	path = trace_operand("events", argc - optind, argv + optind);
	if (!path)
		return COMMAND_USAGE;
	db = trace_open(path);
	/* One transaction: a recording that grows meanwhile does not change while we read it. */
	(void)sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
	filter_check(&f, db, "events");
	print_all(db, &f);
	db_close(db);
	return 0;
}
