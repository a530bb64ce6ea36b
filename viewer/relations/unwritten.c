/* unwritten.c - the boxes of processes say what sat in their stdio buffers. */
/* SPDX-License-Identifier: MIT */
#include "viewer/relations/relations.h"

#include <sqlite3.h>

#include "base/mem.h"
#include "viewer/load/load.h"
#include "viewer/draw/sketch.h"

static size_t find_box(const struct sketch *sk, const struct trace *t, size_t proc,
	const char *prefix, bool by_thread)
{
	size_t th = t->procs[proc].main_thread;
	_cleanup_free_ char *id = NULL;

	if (by_thread && th == NONE)
		return SKETCH_NONE;
	id = xasprintf(
		"%s%lld", prefix, (long long)(by_thread ? t->threads[th].id : t->procs[proc].id));
	return sketch_find(sk, id);
}

char *relations_add_unwritten(
	struct sketch *sk, const struct trace *t, sqlite3 *db, const char *prefix, bool by_thread)
{
	struct rows r = rows_begin(db,
		"SELECT process_id, fd, max(pending), (SELECT iif(substr(name, 1, length(kind) + 4) = kind || ' at ',"
		" rtrim(substr(name, 1, instr(name || '(', '(') - 1)), kind || ' ' || id)"
		" FROM pipe WHERE id = pipe_id) FROM stdio"
		" WHERE at = 'stuck' AND pipe_id IS NOT NULL AND pending > 0"
		" GROUP BY process_id, fd, pipe_id ORDER BY process_id, fd, pipe_id");

	while (rows_next(&r)) {
		size_t proc = trace_proc(t, rows_int(&r, 0, -1));
		size_t node = proc == NONE ? SKETCH_NONE : find_box(sk, t, proc, prefix, by_thread);
		_cleanup_free_ char *pipe = rows_text(&r, 3);
		int64_t n = rows_int(&r, 2, 0);

		if (node != SKETCH_NONE)
			sketch_line(sk, node, "%lld unwritten byte%s in a buffer for %s",
				(long long)n, n == 1 ? "" : "s", pipe);
	}
	return rows_end(&r);
}
