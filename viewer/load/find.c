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
