/* last_look.c - say who waits for whom in a recording that is ended early. */
/* SPDX-License-Identifier: MIT */
#include "cli/common/last_look.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/common/say.h"
#include "cli/common/why_list.h"
#include "schema/db.h"
#include "tracer/tracer.h"
#include "verdict/verdict.h"

enum { LINES_SHOWN = 200 }; /* so that a test log stays readable */

static bool has_wait(const struct finding *f, int64_t wait_id)
{
	for (size_t i = 0; i < f->n_members; i++)
		if (f->members[i].wait_id == wait_id)
			return true;
	return false;
}

/* Says whether all waits of one set are in the other. */
static bool is_within(const struct finding *f, const struct finding *of)
{
	bool any = false;

	for (size_t i = 0; i < f->n_members; i++) {
		if (!f->members[i].wait_id)
			continue;
		if (!has_wait(of, f->members[i].wait_id))
			return false;
		any = true;
	}
	return any;
}

/*
 * Only what a second look confirmed counts (tracer_detect): such a set is reported again if it still stands. A certain one
 * was reported in full already, perhaps long ago.
 */
static void add_finding(struct buf *out, struct sqlite3 *db, const struct finding *f,
	const struct findings *reported)
{
	bool known = false;

	for (size_t i = 0; i < reported->n; i++)
		known = known || is_within(f, &reported->list[i]);
	if (!known)
		return;
	if (f->certain)
		buf_addf(out, "%s: %s: %s (reported in full above)\n", f->severity, f->rule,
			f->summary);
	else
		verdict_text(out, db, f, say_color(stderr));
}

static void add_findings(struct buf *out, struct sqlite3 *db, const struct findings *reported,
	int64_t at_ns, bool all, struct buf *why)
{
	struct findings now = {0};

	if (!reported->n || verdict_stuck(db, at_ns, all, &now, why) < 0)
		return;
	for (size_t i = 0; i < now.n; i++)
		add_finding(out, db, &now.list[i], reported);
	findings_free(&now);
}

/* Prints the first lines, and says how many more there are. */
static void print_lines(const char *text)
{
	const char *end = text;
	size_t more = 0;

	for (int n = 0; n < LINES_SHOWN && *end; n++)
		end += strcspn(end, "\n") + 1;
	for (const char *s = end; *s; s++)
		more += *s == '\n';
	(void)fwrite(text, 1, (size_t)(end - text), stderr);
	if (more)
		note("and %zu more lines; 'pptrace waits' draws them all", more);
}

void last_look(struct tracer *t, uint64_t at, bool all)
{
	_cleanup_buf_ struct buf out = BUF_INIT, why = BUF_INIT;
	struct sqlite3 *db = say_is_quiet() ? NULL : tracer_look(t, &why);
	int64_t at_ns = at ? tracer_time(t, at) : INT64_MAX;

	if (db) {
		add_findings(&out, db, tracer_reported(t), at_ns, all, &why);
		(void)why_list_text(&out, db, at_ns, false, say_color(stderr), &why);
		if (out.len) {
			note("what each thread was waiting for at that time");
			print_lines(out.data);
		}
	}
	if (why.len)
		warn("cannot say what the threads wait for: %s", why.data);
	db_close(db);
}
