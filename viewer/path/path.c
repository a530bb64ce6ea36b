/* path.c - walk from the end of a run back to its beginning: what decided how long it took. */
/* SPDX-License-Identifier: MIT */
#include "viewer/path/private.h"

#include <sqlite3.h>

#include "base/mem.h"
#include "viewer/load/load.h"

/* Who sent the signal that ended a process, if that was somebody in the recording. */
struct killer {
	size_t thread;
	int64_t ts;
};

struct walk {
	const struct trace *t;
	sqlite3 *db;
	struct path *p;
	struct path_waits waits;
	struct path_deeds deeds;
	struct killer *killers; /* of each process */
	size_t *last_end;       /* of each process: the thread that ended last, or NONE */
	bool *born;             /* of each thread: the path went through its birth */
	size_t thread;          /* where the walk is */
	int64_t at;
	/* Open waits at the end of the run are followed to whom they are for. */
	bool follows;
};

static uint32_t number_of(const struct walk *w, const struct path_wait *wait)
{
	return wait ? (uint32_t)(wait - w->waits.list) + 1 : 0;
}

/* Steps are collected from the last to the first. */
static void add(struct walk *w, enum path_kind kind, int64_t from, const struct path_wait *wait)
{
	struct path *p = w->p;

	from = from < p->from ? p->from : from;
	if (from >= w->at)
		return;
	ARRAY_GROW(p->steps, p->n, p->cap);
	p->steps[p->n++] = (struct path_step){.kind = kind,
		.thread = (uint32_t)w->thread,
		.wait = number_of(w, wait),
		.from = from,
		.to = w->at};
	w->at = from;
}

/* Notes how the thread of the newest step came to take it. */
static void link_to(struct walk *w, enum path_link link, const struct path_wait *wait)
{
	struct path_step *s = w->p->n ? &w->p->steps[w->p->n - 1] : NULL;

	if (!s || s->thread != w->thread)
		return;
	s->link = link;
	if (s->kind != PATH_WAITS)
		s->wait = number_of(w, wait);
}

/*
 * Goes on in another thread, which did something by then: when it last ran, if it waited then already, for that was
 * before it waited. Says whether it can have been that: it lived, and ran after the given time.
 */
static bool go_to(struct walk *w, size_t thread, int64_t by, int64_t after, enum path_link link,
	const struct path_wait *wait)
{
	const struct path_wait *own;

	if (thread == NONE || thread == w->thread || by > w->at)
		return false;
	if (w->t->threads[thread].end < by)
		by = w->t->threads[thread].end;
	if (by <= after || w->t->threads[thread].start > by)
		return false;
	own = path_waits_before(&w->waits, thread, by);
	if (own && own->to > by && !own->endless) {
		if (own->from <= after || own->from < w->t->threads[thread].start)
			return false;
		by = own->from;
	}
	add(w, PATH_READY, by, NULL);
	link_to(w, link, wait);
	w->thread = thread;
	w->at = by;
	return true;
}

/* The thread with which a process ended: its main thread, or where that ended before, the last one that ended by itself. */
static size_t last_thread(const struct walk *w, size_t proc)
{
	const struct proc_row *p = &w->t->procs[proc];
	size_t last = w->last_end[proc];

	if (p->main_thread != NONE &&
		(last == NONE || w->t->threads[p->main_thread].end >= w->t->threads[last].end))
		return p->main_thread;
	return last;
}

/* A child's end decided, not what its reaper or waker did. */
static bool go_to_end(struct walk *w, const struct path_wait *wait)
{
	size_t proc = wait->target_proc ? wait->target_proc - 1 : NONE, thread = NONE;

	if (wait->reason == WAIT_JOIN && wait->target_thread)
		thread = wait->target_thread - 1;
	else if (wait->reason == WAIT_CHILD && proc != NONE)
		thread = last_thread(w, proc);
	else if (wait->reason == WAIT_CHILD && wait->waker &&
		 w->t->threads[wait->waker - 1].end <= wait->to)
		thread = last_thread(w, w->t->threads[wait->waker - 1].proc);
	return thread != NONE && w->t->threads[thread].end <= w->at &&
	       go_to(w, thread, w->t->threads[thread].end, wait->from, PATH_ENDED, wait);
}

static bool go_to_waker(struct walk *w, const struct path_wait *wait)
{
	size_t by = wait->waker ? wait->waker - 1 : NONE;

	if (go_to_end(w, wait))
		return true;
	if (by == NONE)
		by = path_deeds_waker(&w->deeds, w->t, w->db, wait);
	return go_to(w, by, w->at, wait->from,
		by != NONE && wait->reason == WAIT_CHILD && w->t->threads[by].end != TIME_NEVER
			? PATH_ENDED
			: PATH_WOKEN,
		wait);
}

/* At the end of the run a thread waits for others that wait as well: the path begins with the last one, who waits for something else. */
static size_t who_is_waited_for(const struct walk *w, const struct path_wait *wait)
{
	if (wait->reason == WAIT_JOIN)
		return wait->target_thread ? wait->target_thread - 1 : NONE;
	if (wait->reason == WAIT_CHILD && wait->target_proc)
		return last_thread(w, wait->target_proc - 1);
	return NONE;
}

/* Says whether a thread was there until the walk's moment: to kill a process takes the kernel a while, thread by thread. */
static bool ended_together(const struct walk *w, size_t thread, int64_t end)
{
	size_t proc = w->t->threads[thread].proc;

	return end >= w->at - PATH_TOGETHER_NS ||
	       (proc == w->t->threads[w->thread].proc &&
		       w->t->procs[proc].end_kind == LIFE_SIGNAL &&
		       end >= w->t->procs[proc].killed);
}

static bool follow(struct walk *w, struct path_wait *wait)
{
	size_t next = who_is_waited_for(w, wait);
	int64_t end = next == NONE ? 0 : trace_end(w->t, w->t->threads[next].end);

	if (!w->follows || next == NONE || end <= wait->from || !ended_together(w, next, end))
		return false;
	add(w, PATH_READY, end, NULL);
	w->thread = next;
	return true;
}

/* Deals with the wait at whose end, or inside of which, the walk is. */
static void pass_wait(struct walk *w, struct path_wait *wait)
{
	bool again = wait->used;

	wait->used = true;
	if (wait->endless) {
		if (!again && follow(w, wait))
			return;
		/* A stop, before whoever stopped it killed it, is in the wait that it cut. */
		w->follows = w->follows && wait->reason == WAIT_STOPPED;
	} else {
		w->follows = false;
		if (!again && go_to_waker(w, wait))
			return;
	}
	add(w, PATH_WAITS, wait->from, wait);
	w->at = wait->from;
}

/* A process that a signal ended did so because of its sender. */
static bool pass_kill(struct walk *w)
{
	const struct thread_row *th = &w->t->threads[w->thread];
	struct killer *k = &w->killers[th->proc];
	size_t by = k->thread;

	if (w->at < th->end || by == NONE)
		return false;
	k->thread = NONE;
	return go_to(w, by, k->ts < w->at ? k->ts : w->at, th->start, PATH_KILLED, NULL);
}

/* Goes through the birth of a thread to its creator. Returns false at the beginning of the path. */
static bool pass_birth(struct walk *w)
{
	const struct thread_row *th = &w->t->threads[w->thread];
	size_t by = th->is_main ? w->t->procs[th->proc].creator : th->creator;

	add(w, PATH_RUNS, th->start, NULL);
	if (w->born[w->thread])
		return false;
	w->born[w->thread] = true;
	return go_to(w, by, w->at, INT64_MIN, PATH_CREATED, NULL);
}

/* One step back. Returns false at the beginning. */
static bool go_back(struct walk *w)
{
	struct path_wait *wait;

	if (w->at <= w->p->from)
		return false;
	if (pass_kill(w))
		return true;
	wait = path_waits_before(&w->waits, w->thread, w->at);
	if (!wait || wait->to <= w->t->threads[w->thread].start)
		return pass_birth(w);
	add(w, PATH_RUNS, wait->to, NULL);
	pass_wait(w, wait);
	return true;
}

/* ---- Before and after the walk ---- */

static char *load_killers(struct walk *w)
{
	struct rows r = rows_begin(w->db,
		"SELECT s.process_id, s.sender_id, s.sent_ns FROM signal s JOIN process p"
		" ON p.id = s.process_id AND p.exit_signal = s.signo"
		" WHERE s.sender_id IS NOT NULL AND s.sent_ns IS NOT NULL ORDER BY s.id");

	w->killers = xcalloc(w->t->n_procs + 1, sizeof *w->killers);
	for (size_t i = 0; i < w->t->n_procs; i++)
		w->killers[i].thread = NONE;
	while (rows_next(&r)) {
		size_t proc = trace_proc(w->t, rows_int(&r, 0, -1));

		if (proc != NONE)
			w->killers[proc] = (struct killer){
				trace_thread(w->t, rows_int(&r, 1, -1)), rows_time(&r, 2, 0)};
	}
	return rows_end(&r);
}

static void load_ends(struct walk *w)
{
	const struct trace *t = w->t;

	w->last_end = xcalloc(t->n_procs + 1, sizeof *w->last_end);
	for (size_t i = 0; i < t->n_procs; i++)
		w->last_end[i] = NONE;
	for (size_t i = 0; i < t->n_threads; i++) {
		size_t *last = &w->last_end[t->threads[i].proc];

		if (*last == NONE || t->threads[i].end > t->threads[*last].end)
			*last = i;
	}
}

/* The process that was gone last, and that began first if there are several. */
static bool find_end(struct walk *w)
{
	const struct trace *t = w->t;
	size_t last = NONE;
	int64_t latest = INT64_MIN;

	for (size_t i = 0; i < t->n_procs; i++) {
		int64_t end = trace_end(t, t->procs[i].end);

		if (end > latest && last_thread(w, i) != NONE) {
			latest = end;
			last = i;
		}
	}
	if (last == NONE)
		return false;
	w->thread = last_thread(w, last);
	w->at = trace_end(t, t->threads[w->thread].end);
	w->p->from = trace_begin(t);
	w->p->to = w->at;
	w->follows = true;
	return w->at > w->p->from;
}

static void turn_round(struct path *p)
{
	for (size_t i = 0; i < p->n / 2; i++) {
		struct path_step s = p->steps[i];

		p->steps[i] = p->steps[p->n - 1 - i];
		p->steps[p->n - 1 - i] = s;
	}
}

static char *walk(struct walk *w)
{
	char *why = path_waits_load(&w->waits, w->t, w->db);

	if (!why)
		why = load_killers(w);
	if (!why)
		why = resources_load(&w->p->res, w->db, w->t);
	if (why)
		return why;
	load_ends(w);
	w->born = xcalloc(w->t->n_threads + 1, sizeof *w->born);
	if (!find_end(w))
		return NULL;
	while (go_back(w))
		continue;
	turn_round(w->p);
	return w->deeds.why ? xstrdup(w->deeds.why) : NULL;
}

struct path *path_new(const struct trace *t, sqlite3 *db, char **ret_why)
{
	struct path *p = xcalloc(1, sizeof *p);
	struct walk w = {.t = t, .db = db, .p = p};
	char *why;

	p->t = t;
	why = walk(&w);
	p->waits = w.waits.list;
	w.waits.list = NULL;
	path_waits_done(&w.waits);
	path_deeds_done(&w.deeds);
	free(w.killers);
	free(w.last_end);
	free(w.born);
	if (why) {
		*ret_why = why;
		path_free(p);
		return NULL;
	}
	path_sum_up(p);
	return p;
}

void path_free(struct path *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n_sums; i++) {
		free(p->sums[i].who);
		free(p->sums[i].what);
	}
	free(p->sums);
	free(p->steps);
	free(p->waits);
	resources_done(&p->res);
	free(p);
}
