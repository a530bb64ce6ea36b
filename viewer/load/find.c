/* find.c - rows of a loaded trace by their ids. */
/* SPDX-License-Identifier: MIT */
#include "viewer/load/load.h"

static size_t find(const struct hash *h, int64_t id)
{
	uintptr_t at = (uintptr_t)hash_get(h, (uint64_t)id);

	return at ? at - 1 : NONE;
}

size_t trace_proc(const struct trace *t, int64_t id)
{
	return find(&t->proc_by_id, id);
}

size_t trace_thread(const struct trace *t, int64_t id)
{
	return find(&t->thread_by_id, id);
}

int64_t trace_end(const struct trace *t, int64_t end)
{
	return end == TIME_NEVER ? t->duration : end;
}

int64_t trace_begin(const struct trace *t)
{
	int64_t first = t->n_procs ? t->procs[0].start : 0;

	return first < 0 || first >= t->duration ? 0 : first;
}

int64_t trace_last(const struct trace *t)
{
	int64_t last = t->n_procs ? INT64_MIN : t->duration;

	for (size_t i = 0; i < t->n_procs; i++) {
		int64_t end = trace_end(t, t->procs[i].end);

		last = end > last ? end : last;
		if (t->procs[i].zombie_to != TIME_NEVER && t->procs[i].zombie_to > last)
			last = t->procs[i].zombie_to;
	}
	return last < t->duration ? last : t->duration;
}
