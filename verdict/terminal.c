/* terminal.c - a finding printed for the terminal, in jstack's form. */
/* SPDX-License-Identifier: MIT */
/*
 *	error: deadlock: thread 42 (left) of abba[40] and thread 43 (right) of abba[40] wait for each other and can never proceed
 *	  cycle of 2, certain, since 0.103 s
 *	  thread 42 (left) of abba[40]
 *	      waits for the mutex lock_b since 0.103 s at abba.c:31 (left),
 *	      which is held by thread 43 (right) of abba[40] since 0.101 s at abba.c:40 (right)
 *	  ...
 *	  remedy: Take these locks in the same order everywhere.
 *
 * A finding may have been read from a file that somebody forged: nothing in it steers the terminal.
 */
#include "base/buf.h"
#include "schema/query.h"
#include "verdict/naming.h"
#include "verdict/place.h"
#include "verdict/verdict.h"

#include <string.h>

static void add_colour(struct buf *out, bool on, const char *code)
{
	if (on)
		buf_addf(out, "\033[%sm", code);
}

static void add_lines(struct buf *out, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		buf_adds(out, "  ");
		buf_add_prose(out, text, len, false);
		buf_addc(out, '\n');
		text += len + (text[len] == '\n');
	}
}

static void add_shape(struct buf *out, struct sqlite3 *db, const struct finding *f)
{
	_cleanup_buf_ struct buf why = BUF_INIT;

	if (!f->shape)
		return;
	buf_addf(out, "  %s", f->shape);
	if (f->n_members > 1)
		buf_addf(out, " of %zu", f->n_members);
	buf_adds(out, f->certain ? ", certain" : ", conditional");
	/* A snapshot has no beginning from which a time could be counted; how long each thread has waited its list says. */
	if (f->ts_ns >= 1000000 && !query_is_snapshot(db, &why)) {
		buf_adds(out, ", since ");
		naming_time(out, f->ts_ns);
		if (f->apart_ns) {
			buf_adds(out, " ± ");
			buf_add_duration(out, f->apart_ns);
		}
	}
	buf_addc(out, '\n');
}

void verdict_text(struct buf *out, struct sqlite3 *db, const struct finding *f, bool colour)
{
	const char *code = !strcmp(f->severity, "error")     ? "1;31"
			   : !strcmp(f->severity, "warning") ? "1;33"
							     : "1";

	add_colour(out, colour, code);
	buf_addf(out, "%s: %s:", f->severity, f->rule);
	add_colour(out, colour, "0");
	buf_addc(out, ' ');
	if (f->summary)
		buf_add_prose(out, f->summary, strlen(f->summary), false);
	buf_addc(out, '\n');
	add_shape(out, db, f);
	/* The story of a stuck set names its members itself. */
	if (!f->shape)
		for (size_t i = 0; i < f->n_members; i++)
			if (f->members[i].text)
				add_lines(out, f->members[i].text);
	if (f->explanation)
		add_lines(out, f->explanation);
	if (f->remedy) {
		buf_adds(out, "  ");
		add_colour(out, colour, "1");
		buf_adds(out, "remedy:");
		add_colour(out, colour, "0");
		buf_addc(out, ' ');
		buf_add_prose(out, f->remedy, strlen(f->remedy), false);
		buf_addc(out, '\n');
	}
}

void verdict_stacks(struct buf *out, struct sqlite3 *db, const struct finding *f)
{
	for (size_t i = 0; i < f->n_members; i++) {
		if (!f->members[i].stack_id)
			continue;
		buf_adds(out, "  stack of ");
		naming_thread(out, db, f->members[i].thread_id);
		buf_addc(out, '\n');
		place_add_lines(out, db, f->members[i].stack_id, "      ");
	}
}
