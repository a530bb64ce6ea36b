/* describe.c - the words that pictures use for processes and traces. */
/* SPDX-License-Identifier: MIT */
#include "schema/names.h"
#include "viewer/load/load.h"

#include <signal.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "verdict/place.h"

const char *trace_signal_name(int signo)
{
	static char text[NAME_MAX_LEN];

	return names_signal(signo, text);
}

const char *trace_thread_name(const struct trace *t, size_t thread)
{
	const struct thread_row *th = &t->threads[thread];

	return th->is_main ? t->procs[th->proc].name : th->name;
}

const char *trace_proc_name_at(const struct trace *t, size_t proc, int64_t ts)
{
	const struct proc_row *p = &t->procs[proc];
	const char *name = NULL;

	for (size_t i = 0; i < p->n_titles && t->titles[p->first_title + i].ts <= ts; i++)
		name = t->titles[p->first_title + i].text;
	return name ? name : p->program;
}

const char *trace_thread_name_at(const struct trace *t, size_t thread, int64_t ts)
{
	const struct thread_row *th = &t->threads[thread];

	return th->is_main ? trace_proc_name_at(t, th->proc, ts) : th->name;
}

void trace_add_status(struct buf *b, const struct proc_row *p)
{
	switch (p->end_kind) {
	case LIFE_RUNNING:
		buf_adds(b, "still running");
		break;
	case LIFE_EXIT:
		buf_addf(b, "exit %d", p->exit_code);
		break;
	case LIFE_SIGNAL:
		buf_adds(b, trace_signal_name(p->exit_signal));
		if (p->core_dumped)
			buf_adds(b, ", core dumped");
		if (p->by_pptrace)
			buf_adds(b, " by pptrace");
		break;
	case LIFE_UNKNOWN:
		buf_adds(b, "ended");
		break;
	}
}

enum { HOST_SHOWN = 40 };

void trace_add_subtitle(struct buf *b, const struct trace *t)
{
	const char *dot = " \xc2\xb7 ";
	_cleanup_free_ char *host = text_fit(t->host, HOST_SHOWN);

	if (*t->date)
		buf_addf(b, "%s%s", t->date, dot);
	if (*t->host)
		buf_addf(b, "%s%s", host, dot);
	buf_add_duration(b, trace_last(t) - trace_begin(t));
	buf_addf(b, "%s%zu process%s", dot, t->n_procs, t->n_procs == 1 ? "" : "es");
	if (t->n_threads > t->n_procs)
		buf_addf(b, ", %zu threads", t->n_threads);
	if (t->exit_signal)
		buf_addf(b, "%s%s", dot, trace_signal_name(t->exit_signal));
	else if (t->exit_code >= 0)
		buf_addf(b, "%sexit %lld", dot, (long long)t->exit_code);
	if (!t->complete)
		buf_addf(b, "%snot complete", dot);
	if (t->lost > 0)
		buf_addf(
			b, "%s%lld event%s lost", dot, (long long)t->lost, t->lost == 1 ? "" : "s");
}

char *trace_stack(struct sqlite3 *db, int64_t stack_id)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	place_add_lines(&b, db, stack_id, "  ");
	return b.len ? buf_steal(&b) : NULL;
}
