/* cmd_events.c - pptrace events: what happened, one line each, in time order. */
/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <inttypes.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/common/options.h"
#include "cli/common/say.h"
#include "cli/common/trace_note.h"
#include "schema/query.h"
#include "verdict/place.h"

/*
 * SQLite sorts before it gives the first row. A large recording is therefore
 * asked window by window of time, so that lines come at once and what is sorted
 * stays small.
 */
enum { ROWS_PER_WINDOW = 200000, MAX_FILTERS = 32 };

static const struct command_option options[] = {
	{"process", 'p', "PID|NAME", "only this process; may be repeated", 'p'},
	{"kind", 'k', "KIND,...",
		"only these: process, thread, exec, exit, reap, pipe, end, io, signal, handler, timer, "
		"lock, sync, wait, finding",
		'k'},
	{"since", 's', "TIME", "from this time after the start: 1.5 (seconds), 200ms", 's'},
	{"until", 'u', "TIME", "up to this time", 'u'},
	{NULL, 0, NULL, NULL, 0},
};

static int run(int argc, char **argv);

const struct command cmd_events = {
	.name = "events",
	.usage = "[OPTIONS] [TRACE.db]",
	.summary = "print what happened in time order, one line each",
	.options = options,
	.run = run,
};

static const char *const kinds[] = {"process", "thread", "exec", "exit", "reap", "pipe", "end",
	"io", "signal", "handler", "timer", "lock", "sync", "wait", "finding", NULL};

/* What the options ask for; the texts are bound, never pasted. */
struct filter {
	const char *processes[MAX_FILTERS];
	int kinds[MAX_FILTERS];
	int n_processes, n_kinds;
	int64_t since, until;
};

/* Splits "io,wait" and adds the kinds. Returns false after a message. */
static bool add_kinds(struct filter *f, const char *list)
{
	while (*list) {
		size_t len = strcspn(list, ",");
		_cleanup_free_ char *word = xstrndup(list, len);

		if (f->n_kinds == MAX_FILTERS) {
			warn("events: too many kinds");
			return false;
		}
		if (!options_word("--kind", word, kinds, &f->kinds[f->n_kinds]))
			return false;
		f->n_kinds++;
		list += len + (list[len] == ',');
	}
	return true;
}

static bool add_option(struct filter *f, int id)
{
	switch (id) {
	case 'p':
		if (f->n_processes == MAX_FILTERS) {
			warn("events: too many processes");
			return false;
		}
		f->processes[f->n_processes++] = optarg;
		return true;
	case 'k':
		return add_kinds(f, optarg);
	case 's':
		return options_duration("--since", optarg, &f->since);
	case 'u':
		return options_duration("--until", optarg, &f->until);
	default:
		return false;
	}
}

static void add_marks(struct buf *sql, int n)
{
	for (int i = 0; i < n; i++)
		buf_adds(sql, i ? ", ?" : "?");
}

static sqlite3_stmt *prepare(sqlite3 *db, const struct filter *f)
{
	_cleanup_buf_ struct buf sql = BUF_INIT, why = BUF_INIT;
	sqlite3_stmt *st = NULL;
	int at = 3;

	buf_adds(&sql, "SELECT ts_ns, pid, tid, name, kind, text FROM event"
		       " WHERE ts_ns BETWEEN ?1 AND ?2");
	if (f->n_kinds) {
		buf_adds(&sql, " AND kind IN (");
		add_marks(&sql, f->n_kinds);
		buf_adds(&sql, ")");
	}
	if (f->n_processes) {
		buf_adds(&sql, " AND (CAST(pid AS TEXT) IN (");
		add_marks(&sql, f->n_processes);
		buf_adds(&sql, ") OR name IN (");
		add_marks(&sql, f->n_processes);
		buf_adds(&sql, "))");
	}
	buf_adds(&sql, " ORDER BY ts_ns");
	if (query_open(db, sql.data, &st, &why) < 0)
		die("events: %s", why.data);
	for (int i = 0; i < f->n_kinds; i++)
		query_bind_text(st, at++, kinds[f->kinds[i]]);
	for (int twice = 0; twice < 2; twice++)
		for (int i = 0; i < f->n_processes; i++)
			query_bind_text(st, at++, f->processes[i]);
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

/* The stacks of waits, by when each began and whose it is: event says no more of a wait. */
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
	struct filter f = {.since = INT64_MIN, .until = INT64_MAX};
	const char *path;
	sqlite3 *db;

	for (int id; (id = options_next(&cmd_events, argc, argv)) != OPTIONS_END;)
		if (!add_option(&f, id))
			return COMMAND_USAGE;
	path = trace_operand("events", argc - optind, argv + optind);
	if (!path)
		return COMMAND_USAGE;
	db = trace_open(path);
	/* One transaction: a recording that grows meanwhile does not change under our hands. */
	(void)sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
	print_all(db, &f);
	(void)sqlite3_close(db);
	return 0;
}
