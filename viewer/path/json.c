/* json.c - the critical path as JSON. */
/* SPDX-License-Identifier: MIT */
#include "viewer/path/path.h"

#include <inttypes.h>

#include "base/buf.h"
#include "viewer/load/load.h"

static void add_text(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, "\"%s\":", name);
	buf_add_json(out, text, strlen(text));
}

static const char *kind_word(enum path_kind kind)
{
	return kind == PATH_RUNS ? "runs" : kind == PATH_WAITS ? "waits" : "ready";
}

static void add_step(struct buf *out, const struct path *p, size_t i)
{
	const struct path_step *s = &p->steps[i];
	const struct path_wait *w = path_wait_of(p, s);
	const struct thread_row *th = &p->t->threads[s->thread];
	const struct proc_row *proc = &p->t->procs[th->proc];
	_cleanup_buf_ struct buf what = BUF_INIT, link = BUF_INIT;

	path_add_what(&what, p, s);
	path_add_link(&link, p, i);
	buf_addf(out, "{\"start_ns\":%" PRId64 ",\"end_ns\":%" PRId64 ",\"kind\":\"%s\",", s->from,
		s->to, kind_word(s->kind));
	add_text(out, "what", what.data);
	buf_addf(out, ",\"process\":{\"id\":%" PRId64 ",\"pid\":%" PRId64 ",", proc->id, proc->pid);
	add_text(out, "name", proc->name);
	buf_addf(out, "},\"thread\":{\"id\":%" PRId64 ",\"tid\":%" PRId64 ",", th->id, th->tid);
	add_text(out, "name", trace_thread_name(p->t, s->thread));
	buf_adds(out, "},");
	if (link.len)
		add_text(out, "link", link.data);
	else
		buf_adds(out, "\"link\":null");
	if (w)
		buf_addf(out, ",\"wait_id\":%" PRId64 ",\"reason\":\"%s\"}", w->id,
			wait_info(w->reason)->name);
	else
		buf_adds(out, ",\"wait_id\":null,\"reason\":null}");
}

void path_json(struct buf *out, const struct path *p)
{
	buf_addf(out, "{\"start_ns\":%" PRId64 ",\"end_ns\":%" PRId64 ",\n\"sums\":[", p->from,
		p->to);
	for (size_t i = 0; i < p->n_sums; i++) {
		const struct path_sum *s = &p->sums[i];

		buf_adds(out, i ? ",\n{" : "\n{");
		add_text(out, "who", s->who);
		buf_addc(out, ',');
		add_text(out, "what", s->what);
		buf_addf(out, ",\"kind\":\"%s\",\"ns\":%" PRId64 ",\"steps\":%zu}",
			kind_word(s->kind), s->ns, s->steps);
	}
	buf_adds(out, "],\n\"steps\":[");
	for (size_t i = 0; i < p->n; i++) {
		buf_adds(out, i ? ",\n" : "\n");
		add_step(out, p, i);
	}
	buf_adds(out, "]}\n");
}
