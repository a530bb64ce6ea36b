/* filter.c - which part of a recording a command is about: processes, kinds of event, a time. */
/* SPDX-License-Identifier: MIT */
#include "cli/common/filter.h"

#include <getopt.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "cli/common/options.h"
#include "cli/common/say.h"
#include "schema/query.h"

static const char *const kinds[] = {"process", "thread", "exec", "title", "exit", "reap", "pipe",
	"end", "io", "signal", "handler", "timer", "lock", "sync", "wait", "finding", "lost", NULL};

/* Splits "io,wait" and adds the kinds. Returns false after a message. */
static bool add_kinds(struct filter *f, const char *command, const char *list)
{
	while (*list) {
		size_t len = strcspn(list, ",");
		_cleanup_free_ char *word = xstrndup(list, len);
		int kind;

		if (f->n_kinds == FILTER_MOST) {
			warn("%s: too many kinds", command);
			return false;
		}
		if (!options_word("--kind", word, kinds, &kind))
			return false;
		f->kinds[f->n_kinds++] = kinds[kind];
		list += len + (list[len] == ',');
	}
	return true;
}

bool filter_option(struct filter *f, const char *command, int id)
{
	switch (id) {
	case 'p':
		if (f->n_processes == FILTER_MOST) {
			warn("%s: too many processes", command);
			return false;
		}
		f->processes[f->n_processes++] = optarg;
		return true;
	case 'k':
		return add_kinds(f, command, optarg);
	case 's':
		return options_duration("--since", optarg, &f->since);
	case 'u':
		return options_duration("--until", optarg, &f->until);
	default:
		return false;
	}
}

static void check_process(sqlite3 *db, const char *command, const char *typed)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	_cleanup_nearest_ struct nearest n = {.typed = typed};
	int rc = query_open(db, "SELECT DISTINCT CAST(pid AS TEXT), name FROM process", &st, &why);

	while (!rc && (rc = query_step(st, &why)) > 0) {
		if (!strcmp(query_text(st, 0), typed) || !strcmp(query_text(st, 1), typed))
			return;
		/* A number that is nearly right is another process. */
		if (typed[strspn(typed, "0123456789")])
			nearest_try(&n, query_text(st, 1));
		rc = 0;
	}
	if (rc < 0)
		die("%s: %s", command, why.data);
	if (n.best)
		die("%s: the recording has no process '%s'; did you mean '%s'?", command, typed,
			n.best);
	die("%s: the recording has no process '%s'; 'pptrace tree -T txt' shows which it has",
		command, typed);
}

void filter_check_time(sqlite3 *db, const char *command, const char *option, int64_t ns)
{
	_cleanup_buf_ struct buf why = BUF_INIT, asked = BUF_INIT, end = BUF_INIT;
	int64_t duration = query_number(db, "SELECT duration_ns FROM trace", 0, INT64_MAX, &why);

	if (why.len)
		die("%s: %s", command, why.data);
	if (ns == INT64_MAX || ns <= duration)
		return;
	buf_add_duration(&asked, ns);
	buf_add_duration(&end, duration);
	die("%s: %s %s is after the end of the recording, which lasts %s", command, option,
		asked.data, end.data);
}

void filter_check(const struct filter *f, sqlite3 *db, const char *command)
{
	for (int i = 0; i < f->n_processes; i++)
		check_process(db, command, f->processes[i]);
	if (f->since != INT64_MIN)
		filter_check_time(db, command, "--since", f->since);
}

static void add_marks(struct buf *sql, int first, int n)
{
	for (int i = 0; i < n; i++)
		buf_addf(sql, "%s?%d", i ? ", " : "", first + i);
}

void filter_where(const struct filter *f, struct buf *sql, const char *pid, const char *name,
	const char *kind, int first)
{
	if (kind && f->n_kinds) {
		buf_addf(sql, " AND %s IN (", kind);
		add_marks(sql, first, f->n_kinds);
		buf_adds(sql, ")");
		first += f->n_kinds;
	}
	if (!f->n_processes)
		return;
	buf_addf(sql, " AND (CAST(%s AS TEXT) IN (", pid);
	add_marks(sql, first, f->n_processes);
	buf_addf(sql, ") OR %s IN (", name);
	add_marks(sql, first, f->n_processes);
	buf_adds(sql, "))");
}

int filter_bind(const struct filter *f, sqlite3_stmt *st, bool has_kind, int first)
{
	for (int i = 0; has_kind && i < f->n_kinds; i++)
		query_bind_text(st, first++, f->kinds[i]);
	for (int i = 0; i < f->n_processes; i++)
		query_bind_text(st, first++, f->processes[i]);
	return first;
}
