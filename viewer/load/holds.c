/* holds.c - the locks that were held for long, where there are too many holds to read each. */
/* SPDX-License-Identifier: MIT */
#include "viewer/load/holds.h"

#include <sqlite3.h>

#include "base/mem.h"
#include "viewer/load/load.h"

#define LONG_SQL(more)                                                                             \
	"SELECT id, thread_id, acquire_ns, release_ns, lock_id, mode = 's' FROM lock_hold"         \
	" WHERE id BETWEEN ?1 AND ?2 AND release_ns - acquire_ns >= ?3" more                       \
	" ORDER BY release_ns - acquire_ns DESC, id LIMIT 100000"

char *long_holds_load(struct long_holds *ret, const struct trace *t, sqlite3 *db, int64_t first,
	int64_t last, int64_t least_ns)
{
	struct rows r = rows_begin(db,
		rows_has(db, "lock_hold.count") ? LONG_SQL(" AND count IS NULL") : LONG_SQL(""));

	rows_bind(&r, 1, first);
	rows_bind(&r, 2, last);
	rows_bind(&r, 3, least_ns);
	while (rows_next(&r)) {
		ARRAY_GROW(ret->list, ret->n, ret->cap);
		ret->list[ret->n++] = (struct hold_row){.id = rows_int(&r, 0, 0),
			.thread = trace_thread(t, rows_int(&r, 1, -1)),
			.from = rows_time(&r, 2, 0),
			.to = rows_time(&r, 3, 0),
			.lock_id = rows_int(&r, 4, 0),
			.is_shared = rows_int(&r, 5, 0) != 0};
	}
	return rows_end(&r);
}

const struct long_holds *trace_long_holds(const struct trace *t, sqlite3 *db, char **ret_why)
{
	struct long_holds *all = t->long_holds;

	if (all->is_loaded)
		return all;
	*ret_why = long_holds_load(
		all, t, db, INT64_MIN, INT64_MAX, (trace_last(t) - trace_begin(t)) / HOLD_PARTS);
	if (*ret_why)
		return NULL;
	all->is_loaded = true;
	return all;
}

void trace_free_long_holds(struct trace *t)
{
	if (t->long_holds)
		free(t->long_holds->list);
	free(t->long_holds);
}
