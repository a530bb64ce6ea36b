/* load.c - waits and holds: long ones as they are, short ones added up by column. */
/* SPDX-License-Identifier: MIT */
/*
 * lock_hold may have tens of millions of rows and no index. Its rows are
 * inserted when a hold ends, so ids are nearly in the order of release_ns: the
 * range of ids that matters for a range of time is found by bisection, and if
 * that is still large, the table lane says the same by time buckets, beside which long holds are shown one by one.
 */
#include "viewer/timeline/private.h"

#include <sqlite3.h>

#include "base/clock.h"
#include "base/mem.h"
#include "viewer/load/holds.h"
#include "viewer/load/waits.h"

enum { ROWS_MAX = 300000, ID_SLACK = 5000 };

/* What is at least as wide as a column is shown by itself. */
static bool is_long(const struct timeline *tl, int64_t from, int64_t to)
{
	return (double)(to - from) * (double)tl->columns >= (double)(tl->until - tl->since);
}

static void bin_add(struct bin *bin, int64_t ns, enum wait_reason reason, int64_t lock_id)
{
	bin->count++;
	bin->sum += ns;
	if (ns >= bin->longest) {
		bin->longest = ns;
		bin->reason = reason;
		bin->lock_id = lock_id;
	}
}

static struct lane *lane_of(const struct timeline *tl, int64_t thread_id)
{
	size_t th = trace_thread(tl->t, thread_id);
	size_t lane = th == NONE ? NONE : tl->lane_of[th];

	return lane == NONE ? NULL : &tl->lanes[lane];
}

/* An interval that never ended lasts as long as its thread. */
static int64_t span_end(const struct lane *l, int64_t end, int64_t start)
{
	if (end > l->to)
		end = l->to;
	return end < start ? start : end;
}

/*
 * Adds an interval, which has not ended if end is TIME_NEVER: returns its span, or NULL if it is short and was
 * added to the sum of its column, or is not to be seen.
 */
static struct span *add_interval(struct timeline *tl, struct lane *l, enum span_kind kind,
	int64_t from, int64_t end, enum wait_reason reason, int64_t lock_id)
{
	int64_t to = span_end(l, end, from);
	struct span *s;

	if (to < tl->since || from > tl->until)
		return NULL;
	if (!is_long(tl, from, to)) {
		struct bin **bins = kind == SPAN_WAIT ? &l->waits : &l->holds;

		bin_add(timeline_bin(tl, l, bins, timeline_column(tl, from)), to - from, reason,
			lock_id);
		return NULL;
	}
	s = timeline_span(l, kind, from, to);
	s->lock_id = lock_id;
	s->endless = end == TIME_NEVER;
	return s;
}

/* Says whether a wait has something of it in the range. */
static bool is_within(const struct timeline *tl, const struct wait_row *w)
{
	return w->from < tl->until && w->to >= tl->since;
}

static void load_wait(struct timeline *tl, const struct wait_row *w)
{
	size_t lane = w->thread ? tl->lane_of[w->thread - 1] : NONE;
	struct lane *l = lane == NONE ? NULL : &tl->lanes[lane];
	struct span *s =
		l ? add_interval(tl, l, SPAN_WAIT, w->from, w->to, w->reason, w->lock_id) : NULL;

	if (!s)
		return;
	s->id = w->id;
	s->reason = w->reason;
	s->stuck = hash_get(&tl->t->stuck_waits, (uint64_t)s->id) ||
		   (s->endless && tl->t->threads[l->thread].stuck != STUCK_NOT);
	s->pipe_id = w->pipe_id;
	s->target_proc = wait_index(w->target_proc);
	s->target_thread = wait_index(w->target_thread);
}

char *timeline_load_waits(struct timeline *tl, sqlite3 *db)
{
	char *why = NULL;
	const struct wait_rows *ws = trace_waits(tl->t, db, &why);

	for (size_t i = 0; ws && i < ws->n; i++)
		if (is_within(tl, &ws->list[i]))
			load_wait(tl, &ws->list[i]);
	return why;
}

enum { STACKS_MAX = 2000 };

void timeline_load_stacks(struct timeline *tl, sqlite3 *db)
{
	char *why = NULL;
	const struct wait_rows *ws = trace_waits(tl->t, db, &why);
	size_t n = 0;

	for (size_t i = 0; ws && i < ws->n && n < STACKS_MAX; i++) {
		const struct wait_row *w = &ws->list[i];
		char *text = NULL;

		if (w->stack_id && is_within(tl, w)) {
			text = trace_stack(db, w->stack_id);
			n++;
		}
		if (text)
			free(hash_set(&tl->stacks, (uint64_t)w->id, text));
	}
	free(why);
}

/* Returns the least id of a hold that was released at or after ns, nearly: rows are only nearly in order. */
static int64_t bisect(sqlite3 *db, int64_t least, int64_t most, int64_t ns, char **why)
{
	while (least < most && !*why) {
		int64_t mid = least + (int64_t)(((uint64_t)most - (uint64_t)least) / 2);
		int64_t release = rows_number(db,
			"SELECT release_ns FROM lock_hold WHERE id >= ?1 AND release_ns IS NOT NULL"
			" ORDER BY id LIMIT 1",
			mid, INT64_MAX, why);

		if (release < ns)
			least = mid + 1;
		else
			most = mid;
	}
	return least;
}

static void load_hold(struct timeline *tl, struct rows *r)
{
	const char *mode = (const char *)sqlite3_column_text(r->stmt, 5);
	struct lane *l = lane_of(tl, sqlite3_column_int64(r->stmt, 1));
	struct span *s = l ? add_interval(tl, l, SPAN_HOLD, rows_time(r, 2, 0),
				     rows_time(r, 3, TIME_NEVER), WAIT_NONE, rows_int(r, 4, 0))
			   : NULL;

	if (!s)
		return;
	s->id = rows_int(r, 0, 0);
	s->shared = mode && mode[0] == 's';
}

/* A row that stands for several short holds: they are spread over its columns. */
static void load_folded(struct timeline *tl, struct rows *r)
{
	struct lane *l = lane_of(tl, rows_int(r, 1, -1));
	int64_t from = rows_time(r, 2, 0), to = rows_time(r, 3, TIME_NEVER);
	int64_t count = rows_int(r, 6, 1), sum = rows_time(r, 7, 0);
	size_t first, last;

	if (!l || count < 1 || to < tl->since || from > tl->until || from > to)
		return;
	first = timeline_column(tl, from);
	last = timeline_column(tl, to);
	for (size_t i = first; i <= last; i++) {
		struct bin *b = timeline_bin(tl, l, &l->holds, i);
		int64_t share = count / (int64_t)(last - first + 1);

		b->count += (size_t)(i == first ? count - share * (int64_t)(last - first) : share);
		b->sum += sum / (int64_t)(last - first + 1);
		if (!b->lock_id)
			b->lock_id = rows_int(r, 4, 0);
	}
}

#define HOLDS(more)                                                                                \
	"SELECT id, thread_id, acquire_ns, release_ns, lock_id, mode" more                         \
	" FROM lock_hold WHERE id BETWEEN ?1 AND ?2 ORDER BY id"

static char *load_hold_rows(struct timeline *tl, sqlite3 *db, int64_t first, int64_t last)
{
	bool folds = rows_has(db, "lock_hold.count");
	struct rows r = rows_begin(db, folds ? HOLDS(", count, held_ns") : HOLDS(""));

	rows_bind(&r, 1, first);
	rows_bind(&r, 2, last);
	while (rows_next(&r)) {
		if (folds && sqlite3_column_type(r.stmt, 6) != SQLITE_NULL)
			load_folded(tl, &r);
		else
			load_hold(tl, &r);
	}
	return rows_end(&r);
}

/* Locks that are still held, which the range of ids may miss. */
static char *load_open_holds(struct timeline *tl, sqlite3 *db)
{
	struct rows r = rows_begin(db,
		"SELECT DISTINCT 0, thread_id, acquire_ns, NULL, lock_id, mode FROM lock_open"
		" WHERE acquire_ns < ?1 ORDER BY acquire_ns, lock_id, thread_id");

	rows_bind(&r, 1, tl->until);
	while (rows_next(&r))
		load_hold(tl, &r);
	return rows_end(&r);
}

static void load_bucket(struct timeline *tl, struct rows *r, int64_t lane_ns)
{
	struct lane *l = lane_of(tl, rows_int(r, 0, -1));
	int64_t bucket = rows_int(r, 1, 0), hold_ns = rows_time(r, 2, 0), holds = rows_int(r, 3, 0);
	size_t first, last;

	if (!l || holds <= 0 || bucket < 0 || bucket > TIME_LIMIT / lane_ns)
		return;
	first = timeline_column(tl, bucket * lane_ns);
	last = timeline_column(tl, (bucket + 1) * lane_ns - 1);
	for (size_t i = first; i <= last; i++) {
		struct bin *b = timeline_bin(tl, l, &l->holds, i);

		b->count += (unsigned)(i == first ? holds : 1);
		b->sum += hold_ns / (int64_t)(last - first + 1);
	}
}

static char *load_buckets(struct timeline *tl, sqlite3 *db, int64_t lane_ns)
{
	struct rows r =
		rows_begin(db, "SELECT thread_id, bucket, hold_ns, holds FROM lane"
			       " WHERE bucket BETWEEN ?1 AND ?2 ORDER BY thread_id, bucket");

	rows_bind(&r, 1, tl->since / lane_ns);
	rows_bind(&r, 2, tl->until / lane_ns);
	tl->coarse_holds = true;
	while (rows_next(&r))
		load_bucket(tl, &r, lane_ns);
	return rows_end(&r);
}

static void load_long_hold(struct timeline *tl, const struct hold_row *h)
{
	size_t lane = h->thread == NONE ? NONE : tl->lane_of[h->thread];
	struct span *s;

	if (lane == NONE || !is_long(tl, h->from, span_end(&tl->lanes[lane], h->to, h->from)))
		return;
	s = add_interval(tl, &tl->lanes[lane], SPAN_HOLD, h->from, h->to, WAIT_NONE, h->lock_id);
	if (!s)
		return;
	s->id = h->id;
	s->shared = h->is_shared;
}

/* Of buckets nobody sees who had which lock: what is at least as wide as a column is shown by itself here too. */
static char *load_long_holds(struct timeline *tl, sqlite3 *db, int64_t first, int64_t last)
{
	struct long_holds part = {0};
	const struct long_holds *all = &part;
	char *why = NULL;

	if (tl->since <= trace_begin(tl->t) && tl->until >= trace_last(tl->t))
		all = trace_long_holds(tl->t, db, &why);
	else
		why = long_holds_load(&part, tl->t, db, first, last,
			(tl->until - tl->since) / (int64_t)tl->columns);
	for (size_t i = 0; !why && i < all->n; i++)
		load_long_hold(tl, &all->list[i]);
	free(part.list);
	return why;
}

char *timeline_load_holds(struct timeline *tl, sqlite3 *db)
{
	char *why = NULL;
	int64_t least = rows_number(db, "SELECT min(id) FROM lock_hold", 0, 0, &why);
	int64_t most = rows_number(db, "SELECT max(id) FROM lock_hold", 0, -1, &why);
	int64_t lane_ns =
		rows_number(db, "SELECT value FROM setting WHERE name = 'lane_ns'", 0, 0, &why);

	if (why || most < least)
		return why;
	if ((uint64_t)most - (uint64_t)least < ROWS_MAX)
		return load_hold_rows(tl, db, least, most);
	if (tl->until < tl->t->duration)
		most = bisect(db, least, most, ns_add(tl->until, ROWS_LATE_NS), &why);
	if (tl->since > 0)
		least = bisect(db, least, most, ns_sub(tl->since, ROWS_LATE_NS), &why);
	if (why)
		return why;
	least = least > INT64_MIN + ID_SLACK ? least - ID_SLACK : least;
	most = most < INT64_MAX - ID_SLACK ? most + ID_SLACK : most;
	if (lane_ns > 0 && (uint64_t)most - (uint64_t)least > ROWS_MAX) {
		why = load_buckets(tl, db, lane_ns);
		if (!why)
			why = load_long_holds(tl, db, least, most);
		return why ? why : load_open_holds(tl, db);
	}
	return load_hold_rows(tl, db, least, most);
}

static void load_slice(struct timeline *tl, struct rows *r)
{
	struct lane *l = lane_of(tl, rows_int(r, 0, -1));
	int64_t from = rows_time(r, 1, 0), to;

	if (!l)
		return;
	to = span_end(l, rows_time(r, 2, TIME_NEVER), from);
	if (to < tl->since || from > tl->until)
		return;
	tl->has_sched = true;
	if (is_long(tl, from, to))
		(void)timeline_span(l, SPAN_RAN, from, to);
	else
		bin_add(timeline_bin(tl, l, &l->ran, timeline_column(tl, from)), to - from,
			WAIT_NONE, 0);
}

char *timeline_load_sched(struct timeline *tl, sqlite3 *db)
{
	struct rows r = rows_begin(db,
		"SELECT thread_id, start_ns, end_ns FROM sched"
		" WHERE start_ns < ?1 AND (end_ns IS NULL OR end_ns >= ?2) ORDER BY rowid");

	rows_bind(&r, 1, tl->until);
	rows_bind(&r, 2, tl->since);
	while (rows_next(&r))
		load_slice(tl, &r);
	return rows_end(&r);
}

static void add_gap(struct timeline *tl, int64_t from, int64_t to, int64_t count)
{
	struct timeline_gap *last = tl->n_gaps ? &tl->gaps[tl->n_gaps - 1] : NULL;

	if (last && !is_long(tl, last->to, from)) {
		last->to = to > last->to ? to : last->to;
		last->count = count < TIME_LIMIT - last->count ? last->count + count : TIME_LIMIT;
		return;
	}
	ARRAY_GROW(tl->gaps, tl->n_gaps, tl->cap_gaps);
	tl->gaps[tl->n_gaps++] = (struct timeline_gap){from, to, count};
}

char *timeline_load_gaps(struct timeline *tl, sqlite3 *db)
{
	struct rows r;

	if (!rows_has(db, "gap"))
		return NULL;
	r = rows_begin(db,
		"SELECT start_ns, end_ns, count FROM gap"
		" WHERE start_ns <= ?1 AND end_ns >= ?2 AND count > 0 ORDER BY start_ns");
	rows_bind(&r, 1, tl->until);
	rows_bind(&r, 2, tl->since);
	while (rows_next(&r)) {
		int64_t from = rows_time(&r, 0, 0), to = rows_time(&r, 1, 0);

		from = from < tl->since ? tl->since : from;
		to = to > tl->until ? tl->until : to;
		if (from <= to)
			add_gap(tl, from, to, rows_int(&r, 2, 0));
	}
	return rows_end(&r);
}
