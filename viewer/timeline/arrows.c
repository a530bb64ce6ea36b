/* arrows.c - what one thread did to another: arrows; and marks within a lane. */
/* SPDX-License-Identifier: MIT */
#include "viewer/timeline/private.h"

#include <sqlite3.h>

#include "base/mem.h"
#include "viewer/load/transfers.h"
#include "viewer/load/waits.h"

enum { ARROW_GRID = 4, ARROWS_SHOWN = 1500 };

/* Arrows while they are collected: those of one kind between two lanes that fall on the same few columns become one. */
struct arrows {
	struct timeline *tl;
	struct hash seen; /* index + 1 */
	size_t cap, marks_cap;
};

static struct arrow *arrow_add(struct arrows *as, enum arrow_kind kind, size_t from, size_t to,
	int64_t t_from, int64_t t_to)
{
	struct timeline *tl = as->tl;
	uint64_t key;
	uintptr_t at;

	if (to == NONE || from == to || from == NONE)
		return NULL;
	if (t_to < tl->since || t_from > tl->until || t_from < tl->since || t_to > tl->until)
		return NULL;
	key = hash_mix((uint64_t)kind << 32 | timeline_column(tl, t_to) / ARROW_GRID, from,
		hash_mix(to, timeline_column(tl, t_from) / ARROW_GRID, 0));
	at = (uintptr_t)hash_get(&as->seen, key);
	if (at) {
		tl->arrows[at - 1].count++;
		tl->folded_arrows++;
		return &tl->arrows[at - 1];
	}
	ARRAY_GROW(tl->arrows, tl->n_arrows, as->cap);
	tl->arrows[tl->n_arrows++] = (struct arrow){
		.kind = kind, .from = from, .to = to, .t_from = t_from, .t_to = t_to, .count = 1};
	(void)hash_set(&as->seen, key, (void *)(uintptr_t)tl->n_arrows);
	return &tl->arrows[tl->n_arrows - 1];
}

static struct mark *mark_add(struct arrows *as, enum mark_kind kind, size_t lane, int64_t ts)
{
	struct timeline *tl = as->tl;

	if (lane == NONE || ts < tl->since || ts > tl->until)
		return NULL;
	ARRAY_GROW(tl->marks, tl->n_marks, as->marks_cap);
	tl->marks[tl->n_marks] =
		(struct mark){.kind = kind, .lane = lane, .ts = ts, .exec = NONE, .count = 1};
	return &tl->marks[tl->n_marks++];
}

static size_t lane_of_thread(const struct timeline *tl, size_t thread)
{
	return thread == NONE ? NONE : tl->lane_of[thread];
}

static size_t lane_of_proc(const struct timeline *tl, size_t proc)
{
	return proc == NONE ? NONE : lane_of_thread(tl, tl->t->procs[proc].main_thread);
}

static void add_births(struct arrows *as)
{
	const struct trace *t = as->tl->t;

	for (size_t i = 0; i < t->n_procs; i++) {
		const struct proc_row *p = &t->procs[i];
		size_t to = lane_of_proc(as->tl, i);

		(void)arrow_add(
			as, ARROW_FORK, lane_of_thread(as->tl, p->creator), to, p->start, p->start);
		if (p->reaped != TIME_NEVER && p->end != TIME_NEVER)
			(void)arrow_add(as, ARROW_REAP, to, lane_of_thread(as->tl, p->reaper),
				p->reaped, p->reaped);
	}
	for (size_t i = 0; i < t->n_threads; i++) {
		const struct thread_row *th = &t->threads[i];

		if (th->creator != NONE && t->threads[th->creator].proc == th->proc)
			(void)arrow_add(as, ARROW_CREATE, lane_of_thread(as->tl, th->creator),
				lane_of_thread(as->tl, i), th->start, th->start);
	}
}

static void add_execs(struct arrows *as)
{
	const struct trace *t = as->tl->t;

	for (size_t i = 0; i < t->n_execs; i++) {
		const struct exec_row *e = &t->execs[i];
		struct mark *m = mark_add(as, e->error ? MARK_EXEC_FAILED : MARK_EXEC,
			lane_of_proc(as->tl, e->proc), e->ts);

		if (m)
			m->exec = i;
	}
}

/* Says whether a wait that ended then did so because its thread was killed: that is nobody's doing. */
static bool never_returned(const struct trace *t, const struct thread_row *th, int64_t ts)
{
	return ts >= th->end || ts >= t->procs[th->proc].killed;
}

static void add_wake(struct arrows *as, const struct wait_row *w)
{
	const struct timeline *tl = as->tl;
	bool join = w->reason == WAIT_JOIN;
	size_t by = wait_index(join ? w->target_thread : w->waker), waiter = wait_index(w->thread);
	int64_t end = by == NONE ? w->to : tl->t->threads[by].end;
	struct arrow *a;

	if (by == NONE || waiter == NONE || never_returned(tl->t, &tl->t->threads[waiter], w->to) ||
		!(join || wait_info(w->reason)->is_handed_over))
		return;
	/* A join that was only interrupted: the thread lives. */
	if (join && end > w->to)
		return;
	a = arrow_add(as, join ? ARROW_JOIN : ARROW_LOCK, lane_of_thread(tl, by),
		lane_of_thread(tl, waiter), join && end < w->to ? end : w->to, w->to);
	if (a)
		a->row = w->id;
}

static char *add_wakes(struct arrows *as, sqlite3 *db)
{
	const struct timeline *tl = as->tl;
	char *why = NULL;
	const struct wait_rows *ws = trace_waits(tl->t, db, &why);

	for (size_t i = 0; ws && i < ws->n; i++)
		if (ws->list[i].to >= tl->since && ws->list[i].to <= tl->until)
			add_wake(as, &ws->list[i]);
	return why;
}

static char *add_signals(struct arrows *as, sqlite3 *db)
{
	struct timeline *tl = as->tl;
	struct rows r = rows_begin(db,
		"SELECT id, signo, sender_id, process_id, thread_id, sent_ns, delivered_ns, disposition"
		" FROM signal WHERE coalesce(delivered_ns, sent_ns) BETWEEN ?1 AND ?2"
		/* A default that is to do nothing (SIGCHLD, SIGURG, SIGWINCH) is not worth a mark. */
		" AND NOT (sender_id IS NULL AND coalesce(disposition, 'ignored') <> 'handler'"
		" AND name IN ('SIGCHLD', 'SIGURG', 'SIGWINCH', 'SIGCONT')"
		" AND coalesce(disposition, 'ignored') <> 'wait')"
		" ORDER BY coalesce(sent_ns, delivered_ns), id");

	rows_bind(&r, 1, tl->since);
	rows_bind(&r, 2, tl->until);
	while (rows_next(&r)) {
		int64_t sent = rows_time(&r, 5, TIME_NEVER), taken = rows_time(&r, 6, TIME_NEVER);
		size_t from = lane_of_thread(tl, trace_thread(tl->t, rows_int(&r, 2, -1)));
		size_t to = lane_of_thread(tl, trace_thread(tl->t, rows_int(&r, 4, -1)));
		struct arrow *a = NULL;
		struct mark *m = NULL;

		if (to == NONE)
			to = lane_of_proc(tl, trace_proc(tl->t, rows_int(&r, 3, -1)));
		if (from != NONE && from != to && sent != TIME_NEVER)
			a = arrow_add(as, ARROW_SIGNAL, from, to, sent,
				taken == TIME_NEVER || taken < sent ? sent : taken);
		else if (taken != TIME_NEVER)
			m = mark_add(as, MARK_SIGNAL, to, taken);
		if (a) {
			a->signo = (int)rows_int(&r, 1, 0);
			a->row = rows_int(&r, 0, 0);
		}
		if (m)
			m->signo = (int)rows_int(&r, 1, 0);
	}
	return rows_end(&r);
}

static char *add_data(struct arrows *as, sqlite3 *db)
{
	struct timeline *tl = as->tl;
	char *why = NULL;
	const struct transfers *all = trace_transfers(tl->t, db, &why);

	if (!all)
		return why;
	tl->folded_arrows += all->left_out;
	for (size_t i = 0; i < all->n; i++) {
		const struct transfer *x = &all->list[i];
		struct arrow *a = arrow_add(as, ARROW_DATA, lane_of_thread(tl, x->from),
			lane_of_thread(tl, x->to), x->written, x->read);

		if (a && a->bytes < TIME_LIMIT)
			a->bytes += x->bytes;
	}
	return NULL;
}

static int by_arrow(const void *a, const void *b)
{
	const struct arrow *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->t_to != y->t_to)
		return x->t_to < y->t_to ? -1 : 1;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to < y->to ? -1 : x->to > y->to;
}

/* Keeps every nth arrow of the frequent kinds, so that all of the range is covered. */
static void thin_out(struct timeline *tl)
{
	size_t most = tl->max_arrows ? tl->max_arrows : ARROWS_SHOWN;
	size_t per_kind[ARROW_KINDS] = {0}, seen[ARROW_KINDS] = {0}, n = 0;

	if (tl->n_arrows)
		qsort(tl->arrows, tl->n_arrows, sizeof *tl->arrows, by_arrow);
	for (size_t i = 0; i < tl->n_arrows; i++)
		per_kind[tl->arrows[i].kind]++;
	for (size_t i = 0; i < tl->n_arrows; i++) {
		enum arrow_kind kind = tl->arrows[i].kind;
		size_t nth = per_kind[kind] / (most / ARROW_KINDS) + 1;

		if (tl->n_arrows <= most || seen[kind]++ % nth == 0)
			tl->arrows[n++] = tl->arrows[i];
		else
			tl->folded_arrows += tl->arrows[i].count;
	}
	tl->n_arrows = n;
}

char *timeline_load_arrows(struct timeline *tl, sqlite3 *db)
{
	struct arrows as = {.tl = tl};
	char *why;

	add_births(&as);
	add_execs(&as);
	why = add_wakes(&as, db);
	if (!why)
		why = add_signals(&as, db);
	if (!why)
		why = add_data(&as, db);
	hash_done(&as.seen);
	if (!why)
		thin_out(tl);
	return why;
}
