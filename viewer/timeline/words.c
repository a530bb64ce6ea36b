/* words.c - what the spans of a timeline say. */
/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/mem.h"
#include "viewer/load/load.h"
#include "viewer/timeline/timeline.h"
#include "viewer/tree/tree.h"

static void add_object(struct buf *b, const struct timeline *tl, const struct span *s, bool brief)
{
	const struct target on = {s->lock_id, s->pipe_id, s->target_proc, s->target_thread};

	resources_add_target(b, &tl->res, tl->t, &on, brief);
}

static void add_share(struct buf *b, const struct span *s)
{
	double share = s->to > s->from ? 100.0 * (double)s->sum / (double)(s->to - s->from) : 100;

	buf_addf(b, " (%.0f%% of the time)", share > 100 ? 100 : share);
}

const char *timeline_verb(enum wait_reason r)
{
	return wait_info(r)->verb ? wait_info(r)->verb : wait_info(r)->name;
}

/* "lock m", "sem 3": what has no name of its own is called by its kind, which is said once. */
static void add_brief(struct buf *b, const struct timeline *tl, const struct span *s)
{
	const char *verb = timeline_verb(s->reason);
	_cleanup_buf_ struct buf object = BUF_INIT;
	size_t len = strlen(verb);

	add_object(&object, tl, s, true);
	if (object.len > len + 1 && !strncmp(object.data + 1, verb, len) &&
		object.data[len + 1] == ' ')
		buf_adds(b, object.data + 1);
	else
		buf_addf(b, "%s%s", verb, object.len ? object.data : "");
}

void timeline_add_short(struct buf *b, const struct timeline *tl, const struct span *s)
{
	const struct lock_row *lock = s->lock_id ? resources_lock(&tl->res, s->lock_id) : NULL;

	switch (s->kind) {
	case SPAN_WAIT:
		add_brief(b, tl, s);
		break;
	case SPAN_WAITS:
		buf_addf(b, "%zu short waits", s->count);
		break;
	case SPAN_HOLD:
		buf_adds(b, lock ? lock->name : "lock");
		break;
	case SPAN_HOLDS:
		buf_addf(b, "%zu holds", s->count);
		break;
	case SPAN_ZOMBIE:
		buf_adds(b, "zombie");
		break;
	case SPAN_ALIVE:
		if (s->count > 1)
			buf_addf(b, "up to %zu at a time", s->count);
		break;
	case SPAN_RAN:
		break;
	}
}

/* Adds what a wait is for. */
static void add_wait(struct buf *b, const struct timeline *tl, const struct span *s)
{
	_cleanup_buf_ struct buf object = BUF_INIT;

	add_object(&object, tl, s, false);
	buf_adds(b, wait_words(wait_info(s->reason), object.len > 0));
	buf_adds(b, object.data);
}

static void add_what(struct buf *b, const struct timeline *tl, const struct span *s)
{
	switch (s->kind) {
	case SPAN_WAIT:
		add_wait(b, tl, s);
		break;
	case SPAN_WAITS:
		buf_addf(b, "%zu short waits, the longest: ", s->count);
		add_wait(b, tl, s);
		add_share(b, s);
		break;
	case SPAN_HOLD:
		buf_adds(b, s->shared ? "holds (shared)" : "holds");
		add_object(b, tl, s, false);
		break;
	case SPAN_HOLDS:
		buf_addf(b, "%zu short holds of locks", s->count);
		add_share(b, s);
		break;
	case SPAN_ZOMBIE:
		buf_adds(b, "zombie: ended, not reaped");
		break;
	case SPAN_ALIVE:
		buf_addf(b, "alive, up to %zu at a time", s->count);
		break;
	case SPAN_RAN:
		buf_adds(b, "on CPU");
		if (s->count > 1) {
			buf_addf(b, " in %zu turns", s->count);
			add_share(b, s);
		}
		break;
	}
}

void timeline_add_span(struct buf *b, const struct timeline *tl, const struct span *s)
{
	add_what(b, tl, s);
	buf_adds(b, "\nfrom ");
	buf_add_duration(b, s->from);
	if (s->endless && s->kind != SPAN_ZOMBIE) {
		buf_adds(b, ", never ended (");
		buf_add_duration(b, s->to - s->from);
		buf_adds(b, ")");
		return;
	}
	buf_adds(b, " to ");
	buf_add_duration(b, s->to);
	buf_adds(b, ": ");
	buf_add_duration(b, s->to - s->from);
}

static void add_part(struct buf *b, size_t n, const char *one, const char *many)
{
	if (n)
		buf_addf(b, "%s%zu %s", b->len ? ", " : "", n, n == 1 ? one : many);
}

void timeline_add_folded(struct buf *b, const struct timeline *tl)
{
	_cleanup_buf_ struct buf parts = BUF_INIT;

	add_part(&parts, tl->tree->hidden_procs, "process", "processes");
	add_part(&parts, tl->tree->hidden_threads, "thread", "threads");
	add_part(&parts, tl->folded_waits, "short wait", "short waits");
	add_part(&parts, tl->folded_holds, "short hold", "short holds");
	add_part(&parts, tl->folded_arrows, "arrow", "arrows");
	if (parts.len)
		buf_addf(b, "folded: %s", parts.data);
	if (tl->coarse_holds)
		buf_addf(b, "%sholds of locks are summed up", b->len ? "; " : "");
}
