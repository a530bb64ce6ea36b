/* words.c - steps of the critical path in words, and what they add up to. */
/* SPDX-License-Identifier: MIT */
#include "viewer/path/private.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "viewer/load/load.h"

void path_add_who(struct buf *b, const struct path *p, const struct path_step *s)
{
	const struct thread_row *th = &p->t->threads[s->thread];
	const struct proc_row *proc = &p->t->procs[th->proc];

	if (th->is_main)
		buf_addf(b, "%s (%" PRId64 ")", proc->name, proc->pid);
	else
		buf_addf(b, "%s of %s (%" PRId64 ")", trace_thread_name(p->t, s->thread),
			proc->name, th->tid);
}

const struct path_wait *path_wait_of(const struct path *p, const struct path_step *s)
{
	return s->wait ? &p->waits[s->wait - 1] : NULL;
}

static struct target target_of(const struct path_wait *w)
{
	return (struct target){w->lock_id, w->pipe_id, w->target_proc ? w->target_proc - 1 : NONE,
		w->target_thread ? w->target_thread - 1 : NONE};
}

static void add_wait(struct buf *b, const struct path *p, const struct path_wait *w, bool brief)
{
	const struct wait_info *info = wait_info(w->reason);
	const struct target on = target_of(w);
	_cleanup_buf_ struct buf name = BUF_INIT;

	resources_add_target(&name, &p->res, p->t, &on, brief);
	buf_adds(b, wait_words(info, name.len > 0));
	buf_adds(b, name.data);
}

static void add_what(struct buf *b, const struct path *p, const struct path_step *s, bool brief)
{
	switch (s->kind) {
	case PATH_RUNS:
		buf_adds(b, "runs");
		break;
	case PATH_READY:
		buf_adds(b, "waits for a CPU");
		break;
	case PATH_WAITS:
		add_wait(b, p, path_wait_of(p, s), brief);
		break;
	}
}

void path_add_what(struct buf *b, const struct path *p, const struct path_step *s)
{
	add_what(b, p, s, false);
	if (s->kind == PATH_WAITS && path_wait_of(p, s)->endless)
		buf_adds(b, path_wait_of(p, s)->reason == WAIT_STOPPED ? " and never went on"
								       : ", which never came");
}

/* What the thread before did for this one. */
static const char *deed(enum wait_reason r)
{
	if (r == WAIT_BARRIER)
		return "at the barrier after";
	if (r == WAIT_SEM)
		return "posted by";
	if (r == WAIT_COND)
		return "signalled by";
	if (r == WAIT_SIGNAL)
		return "sent a signal by";
	if (wait_info(r)->kind == KIND_LOCK)
		return "unlocked by";
	return r == WAIT_PIPE_READ    ? "written by"
	       : r == WAIT_PIPE_WRITE ? "emptied by"
				      : "woken by";
}

static const char *link_words(const struct path *p, const struct path_step *s)
{
	switch (s->link) {
	case PATH_CREATED:
		return p->t->threads[s->thread].is_main ? "forked by" : "created by";
	case PATH_ENDED:
		return "after the exit of";
	case PATH_KILLED:
		return "killed by";
	case PATH_WOKEN:
		return deed(path_wait_of(p, s)->reason);
	case PATH_GOES_ON:
		break;
	}
	return "";
}

void path_add_link(struct buf *b, const struct path *p, size_t step)
{
	const struct path_step *s = &p->steps[step];

	if (!step || s->link == PATH_GOES_ON)
		return;
	buf_addf(b, "%s ", link_words(p, s));
	path_add_who(b, p, s - 1);
}

/* ---- Sums ---- */

/* One line of a table for each: equal names are the same line, whatever their numbers. */
static void add_sum(
	struct path *p, struct hash *seen, const struct path_step *s, int64_t ns, size_t n)
{
	const struct thread_row *th = &p->t->threads[s->thread];
	const char *program = p->t->procs[th->proc].name;
	_cleanup_buf_ struct buf who = BUF_INIT, what = BUF_INIT;
	uintptr_t at;
	uint64_t key;

	if (th->is_main)
		buf_adds(&who, program);
	else
		buf_addf(&who, "%s of %s", trace_thread_name(p->t, s->thread), program);
	add_what(&what, p, s, true);
	key = hash_mix(hash_bytes(who.data, who.len), hash_bytes(what.data, what.len), s->kind);
	at = (uintptr_t)hash_get(seen, key);
	if (!at) {
		ARRAY_GROW(p->sums, p->n_sums, p->cap_sums);
		p->sums[p->n_sums++] = (struct path_sum){
			.who = buf_steal(&who), .what = buf_steal(&what), .kind = s->kind};
		at = p->n_sums;
		(void)hash_set(seen, key, (void *)at);
	}
	p->sums[at - 1].ns += ns;
	p->sums[at - 1].steps += n;
}

/* Steps of the same thread, kind and object. */
struct alike {
	const struct path_step *first;
	int64_t ns;
	size_t n;
};

static uint64_t alike_key(const struct path *p, const struct path_step *s)
{
	const struct path_wait *w = s->kind == PATH_WAITS ? path_wait_of(p, s) : NULL;

	if (!w)
		return hash_mix(s->thread, (uint64_t)s->kind, 0);
	return hash_mix(hash_mix(s->thread, (uint64_t)s->kind, (uint64_t)w->reason),
		hash_mix((uint64_t)w->lock_id, (uint64_t)w->pipe_id, 0),
		hash_mix(w->target_proc, w->target_thread, 0));
}

static int by_time(const void *a, const void *b)
{
	const struct path_sum *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return strcmp(x->who, y->who) ? strcmp(x->who, y->who) : strcmp(x->what, y->what);
}

/* Counts the threads of the path; each is one in the table of those seen. */
static size_t count_threads(const struct path *p)
{
	_cleanup_free_ bool *seen = xcalloc(p->t->n_threads + 1, sizeof *seen);
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		n += !seen[p->steps[i].thread];
		seen[p->steps[i].thread] = true;
	}
	return n;
}

void path_sum_up(struct path *p)
{
	struct alike *list = NULL;
	size_t n = 0, cap = 0;
	struct hash of = {0}, seen = {0};

	for (size_t i = 0; i < p->n; i++) {
		const struct path_step *s = &p->steps[i];
		uint64_t key = alike_key(p, s);
		uintptr_t at = (uintptr_t)hash_get(&of, key);

		if (!at) {
			ARRAY_GROW(list, n, cap);
			list[n++] = (struct alike){.first = s};
			at = n;
			(void)hash_set(&of, key, (void *)at);
		}
		list[at - 1].ns += s->to - s->from;
		list[at - 1].n++;
	}
	for (size_t i = 0; i < n; i++)
		add_sum(p, &seen, list[i].first, list[i].ns, list[i].n);
	free(list);
	hash_done(&of);
	hash_done(&seen);
	if (p->n_sums)
		qsort(p->sums, p->n_sums, sizeof *p->sums, by_time);
	p->n_threads = count_threads(p);
}

enum { TOLD = 3, TOLD_PERCENT = 5 };

void path_sentence(struct buf *b, const struct path *p)
{
	int64_t all = p->to - p->from;

	if (!p->n || all <= 0)
		return;
	buf_adds(b, "where the ");
	buf_add_duration(b, all);
	buf_adds(b, " from start to end went:");
	for (size_t i = 0; i < p->n_sums && i < TOLD; i++) {
		const struct path_sum *s = &p->sums[i];
		double percent = 100.0 * (double)s->ns / (double)all;

		if (i && percent < TOLD_PERCENT)
			break;
		buf_addf(b, "%s %.0f%% ", i ? "," : "", percent);
		buf_addf(b, "%s %s", s->who, s->what);
	}
	buf_addf(b, " (pptrace path: %zu step%s through %zu thread%s)", p->n, p->n == 1 ? "" : "s",
		p->n_threads, p->n_threads == 1 ? "" : "s");
}
