/* moment.c - which moment of a recording to show if none was asked for. */
/* SPDX-License-Identifier: MIT */
#include "viewer/load/waits.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "verdict/verdict.h"

enum { WAITS_MAX = 10000 }; /* so many of the longest waits are looked at */

static bool any_stuck(const struct trace *t)
{
	for (size_t i = 0; i < t->n_findings; i++)
		if (finding_is_stuck(&t->findings[i]))
			return true;
	return false;
}

/* Lowers *at to just before the end of a wait that is part of what is stuck. */
static void before_end_of_wait(struct sqlite3 *db, int64_t wait_id, int64_t *at, char **why)
{
	int64_t end =
		rows_number(db, "SELECT end_ns FROM wait WHERE id = ?1", wait_id, TIME_NEVER, why);

	if (end <= *at)
		*at = end > -TIME_LIMIT ? end - 1 : -TIME_LIMIT;
}

/* Lowers *at to just before pptrace itself sent a signal after a moment. */
static void before_signals(struct sqlite3 *db, int64_t since, int64_t *at, char **why)
{
	int64_t sent = rows_number(db,
		"SELECT min(sent_ns) FROM signal WHERE source = 'pptrace' AND sent_ns > ?1", since,
		TIME_NEVER, why);

	if (sent <= *at)
		*at = sent - 1;
}

/* Returns the last moment at which all who are stuck were there, since a program that hangs is mostly killed. */
static int64_t stuck_moment(const struct trace *t, struct sqlite3 *db, char **why)
{
	int64_t at = t->duration, latest = INT64_MIN;

	for (size_t i = 0; i < t->n_findings; i++) {
		const struct finding_row *f = &t->findings[i];

		if (!finding_is_stuck(f))
			continue;
		latest = f->ts > latest ? f->ts : latest;
		for (size_t k = 0; k < f->n_members; k++) {
			size_t th = trace_thread(t, f->members[k].thread_id);

			if (th != NONE && t->threads[th].end <= at)
				at = t->threads[th].end - 1;
			if (f->members[k].wait_id >= 0)
				before_end_of_wait(db, f->members[k].wait_id, &at, why);
		}
	}
	/* --on-deadlock stops them first: that interrupts the waits of the others. */
	before_signals(db, latest, &at, why);
	return at > latest ? at : latest;
}

/* Says whether somebody who has not ended waits at the end. */
static bool waits_at_end(struct sqlite3 *db, char **why)
{
	return rows_number(db,
		       "SELECT 1 FROM wait w JOIN thread t ON t.id = w.thread_id"
		       " WHERE w.end_ns IS NULL AND t.end_ns IS NULL LIMIT 1",
		       0, 0, why) != 0;
}

/* Says whether somebody ended the recording, when and by which signal. */
static bool was_interrupted(struct sqlite3 *db, struct interruption *ret, char **why)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	int rc = *why ? 0 : verdict_interrupted(db, ret, &text);

	if (rc < 0)
		*why = buf_steal(&text);
	return rc > 0;
}

struct span {
	int64_t start, end;
};

static int compare_starts(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static int compare_ends(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return (x->end > y->end) - (x->end < y->end);
}

static int longest_first(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	int64_t lx = x->end - x->start, ly = y->end - y->start;

	return (ly > lx) - (ly < lx);
}

/* Returns the longest waits, of at least a hundredth of the recording. The caller frees *ret. */
static size_t long_waits(const struct trace *t, struct sqlite3 *db, struct span **ret, char **why)
{
	const struct wait_rows *ws = trace_waits(t, db, why);
	struct span *list = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; ws && i < ws->n; i++) {
		const struct wait_row *w = &ws->list[i];
		int64_t end = trace_end(t, w->to);

		if (end - w->from <= t->duration / 100)
			continue;
		ARRAY_GROW(list, n, cap);
		list[n++] = (struct span){w->from, end};
	}
	if (n > WAITS_MAX)
		qsort(list, n, sizeof *list, longest_first);
	*ret = list;
	return n < WAITS_MAX ? n : WAITS_MAX;
}

/* Finds the last moment at which most of the longest waits lasted. Returns how many did, 0: there is none. */
static size_t busiest_moment(const struct trace *t, struct sqlite3 *db, int64_t *ret_at, char **why)
{
	_cleanup_free_ struct span *starts = NULL, *ends = NULL;
	size_t n = long_waits(t, db, &starts, why), begun = 0, ended = 0, most = 0;

	ends = xcalloc(n + 1, sizeof *ends);
	if (n) {
		memcpy(ends, starts, n * sizeof *ends);
		qsort(starts, n, sizeof *starts, compare_starts);
		qsort(ends, n, sizeof *ends, compare_ends);
	}
	/* A moment counts just before a wait ends. */
	for (; ended < n; ended++) {
		while (begun < n && starts[begun].start < ends[ended].end)
			begun++;
		if (begun - ended < most)
			continue;
		most = begun - ended;
		*ret_at = ends[ended].end - 1;
	}
	return most;
}

int64_t trace_moment(const struct trace *t, struct sqlite3 *db, char **ret_which, char **why)
{
	int64_t at = t->duration;
	struct interruption in;
	size_t n;

	*ret_which = NULL;
	if (any_stuck(t)) {
		at = stuck_moment(t, db, why);
		if (at < t->duration)
			*ret_which = xstrdup(
				"the last moment at which all the stuck threads were alive");
		return at;
	}
	if (waits_at_end(db, why))
		return at;
	if (was_interrupted(db, &in, why)) {
		const char *name = trace_signal_name(in.signo);

		*ret_which = in.by_pptrace ? xasprintf("just before pptrace sent %s", name)
					   : xasprintf("just before %s came from outside", name);
		return in.at_ns - VERDICT_BEFORE_SIGNAL_NS;
	}
	n = *why ? 0 : busiest_moment(t, db, &at, why);
	if (n)
		*ret_which = xasprintf("when most threads had been waiting for long (%zu)", n);
	return n ? at : t->duration;
}
